"""Stores what the topic's settings at the broker forget, for readiness."""

import django.db.models.functions.datetime
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("events", "0003_topic_ends")]
    operations = [
        migrations.CreateModel(
            name="TopicRetention",
            fields=[
                ("topic", models.CharField(max_length=249, primary_key=True, serialize=False)),
                (
                    "forgets_by",
                    models.CharField(
                        blank=True,
                        help_text="Settings; empty where every event is kept",
                        max_length=200,
                    ),
                ),
                (
                    "looked_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now()),
                ),
            ],
            options={"default_permissions": ()},
        ),
    ]
