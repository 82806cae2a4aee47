"""Sorts pairs by how much agrees, and stores how far the log was scanned."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("patients", "0013_tails_of_record_numbers"),
    ]

    operations = [
        migrations.RemoveIndex(
            model_name="possibleduplicate",
            name="pair_in_list_order",
        ),
        migrations.AddField(
            model_name="duplicatescan",
            name="noted_event",
            field=models.BigIntegerField(
                help_text="The log's last event that was looked at, by it or since", null=True
            ),
        ),
        migrations.AddIndex(
            model_name="possibleduplicate",
            index=models.Index(
                models.F("state"),
                models.F("grade"),
                models.OrderBy(
                    models.Func(
                        "reasons", function="cardinality", output_field=models.IntegerField()
                    ),
                    descending=True,
                ),
                models.OrderBy(models.F("id"), descending=True),
                name="pair_as_listed",
            ),
        ),
    ]
