"""Stores how far each partition of the topic reached, to detect a lost topic."""

import django.db.models.functions.datetime
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("events", "0002_relay_loops"),
    ]

    operations = [
        migrations.CreateModel(
            name="TopicRefill",
            fields=[
                ("topic", models.CharField(max_length=249, primary_key=True, serialize=False)),
                ("up_to_event_id", models.BigIntegerField(default=0)),
                (
                    "begun_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now()),
                ),
            ],
            options={
                "default_permissions": ("view",),
            },
        ),
        migrations.CreateModel(
            name="TopicEnd",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("topic", models.CharField(max_length=249)),
                ("partition", models.IntegerField()),
                ("next_offset", models.BigIntegerField()),
            ],
            options={
                "default_permissions": (),
                "constraints": [
                    models.UniqueConstraint(
                        fields=("topic", "partition"), name="one_end_per_partition"
                    )
                ],
            },
        ),
    ]
