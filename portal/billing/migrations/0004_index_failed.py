"""Replaces the index over all accounts by a small one over failed accounts."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("billing", "0003_close_archived")]

    operations = [
        migrations.RemoveIndex(model_name="billingaccount", name="billing_by_status"),
        migrations.AddIndex(
            model_name="billingaccount",
            index=models.Index(
                condition=models.Q(("status", "failed")),
                fields=["updated_at"],
                name="billing_failed",
            ),
        ),
    ]
