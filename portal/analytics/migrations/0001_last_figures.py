"""Creates the snapshot of the last known figures."""

from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="LastFigures",
            fields=[
                (
                    "id",
                    models.PositiveSmallIntegerField(
                        default=1, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("figures", models.JSONField()),
                ("taken_at", models.DateTimeField()),
            ],
            options={
                "permissions": [("view_figures", "Can see the dashboard and the figures")],
                "default_permissions": (),
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("id", 1)), name="one_row_of_last_figures"
                    )
                ],
            },
        ),
    ]
