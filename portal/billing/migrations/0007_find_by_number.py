"""Finds an account by its number. The index is built without blocking writers."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False  # CREATE INDEX CONCURRENTLY runs outside of transactions only.
    dependencies = [("billing", "0006_index_closed")]
    operations = [
        AddIndexConcurrently(
            model_name="billingaccount",
            index=models.Index(
                condition=models.Q(("account_id", ""), _negated=True),
                fields=["account_id"],
                name="billing_by_number",
            ),
        ),
    ]
