"""Stores what happens to likely duplicates, and the encoding of the file."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("imports", "0003_columns_and_review"),
    ]

    operations = [
        migrations.AddField(
            model_name="importjob",
            name="alike_count",
            field=models.BigIntegerField(
                default=0,
                help_text="New people who may be registered already, and about whom nobody decided",
            ),
        ),
        migrations.AddField(
            model_name="importjob",
            name="encoding",
            field=models.CharField(
                blank=True, help_text="Of a CSV file, as a person chose it", max_length=20
            ),
        ),
        migrations.AddField(
            model_name="importjob",
            name="likely",
            field=models.CharField(
                blank=True,
                choices=[("register", "Register them"), ("refuse", "Hold them back")],
                help_text="People who may be registered already; empty holds them back",
                max_length=8,
            ),
        ),
        migrations.AddField(
            model_name="importquestion",
            name="alike",
            field=models.JSONField(
                default=list, help_text="Who may be the person: {who, label, grade, reasons}"
            ),
        ),
        migrations.AlterField(
            model_name="importquestion",
            name="doubt",
            field=models.CharField(
                choices=[
                    ("likely", "Likely the same person as a patient"),
                    ("apart", "An identifier of a patient who differs"),
                    ("conflict", "Identifiers of different patients"),
                    ("overwrite", "Would overwrite what is recorded"),
                    ("alike", "May be registered already"),
                ],
                max_length=9,
            ),
        ),
        # Jobs that already wait go on as imports did until now.
        migrations.RunSQL(
            "UPDATE imports_importjob SET likely = 'register' WHERE NOT dry_run",
            migrations.RunSQL.noop,
        ),
    ]
