"""Stores when a process of a kind last said that it runs."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("schedule", "0001_schedule")]

    operations = [
        migrations.CreateModel(
            name="Beat",
            fields=[
                ("name", models.CharField(max_length=20, primary_key=True, serialize=False)),
                ("beat_at", models.DateTimeField()),
            ],
            options={"default_permissions": ("view",)},
        ),
    ]
