"""Separates the time of billing's last answer from the time of the last attempt."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("billing", "0001_billing_accounts")]

    operations = [
        migrations.AddField(
            model_name="billingaccount",
            name="answered_at",
            field=models.DateTimeField(
                help_text="When billing answered last; what is shown was true then", null=True
            ),
        ),
    ]
