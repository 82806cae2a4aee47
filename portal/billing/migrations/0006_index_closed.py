"""Adds a small index over closed accounts, for their list."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("billing", "0005_orphaned_accounts")]

    operations = [
        migrations.AddIndex(
            model_name="billingaccount",
            index=models.Index(
                condition=models.Q(("status", "closed")),
                fields=["updated_at"],
                name="billing_closed",
            ),
        ),
    ]
