"""Seals the log of identifiers too."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("audit", "0001_seals")]
    operations = [
        migrations.AlterField(
            model_name="auditseal",
            name="log",
            field=models.CharField(
                choices=[("reads", "Reads"), ("writes", "Writes"), ("identifiers", "Identifiers")],
                max_length=11,
            ),
        ),
    ]
