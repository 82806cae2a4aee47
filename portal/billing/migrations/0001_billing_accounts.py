"""Creates the portal's copy of each billing account."""

import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("patients", "0002_patients"),
    ]

    operations = [
        migrations.CreateModel(
            name="BillingAccount",
            fields=[
                (
                    "patient",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="billing_account",
                        serialize=False,
                        to="patients.patient",
                        verbose_name="patient",
                    ),
                ),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("pending", "Pending"),
                            ("active", "Active"),
                            ("failed", "Failed"),
                            ("closed", "Closed"),
                        ],
                        db_default="pending",
                        default="pending",
                        max_length=7,
                    ),
                ),
                (
                    "account_id",
                    models.CharField(
                        blank=True,
                        db_default="",
                        help_text="Empty until billing opened it",
                        max_length=40,
                    ),
                ),
                (
                    "wanted_version",
                    models.BigIntegerField(
                        help_text="Version of the patient that billing should know"
                    ),
                ),
                (
                    "synced_version",
                    models.BigIntegerField(
                        db_default=0, help_text="Version of the patient that billing knows"
                    ),
                ),
                (
                    "attempts",
                    models.IntegerField(
                        db_default=0, help_text="Failed attempts since the last success"
                    ),
                ),
                (
                    "next_attempt_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(),
                        help_text="Empty where nothing is left to do",
                        null=True,
                    ),
                ),
                (
                    "wanted_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(),
                        help_text="Since when billing should know",
                    ),
                ),
                ("claimed_by", models.BigIntegerField(null=True)),
                ("last_error_code", models.CharField(blank=True, db_default="", max_length=40)),
                (
                    "updated_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now()),
                ),
            ],
            options={
                "permissions": [("retry_billingaccount", "Can ask billing again")],
                "default_permissions": ("view",),
                "indexes": [
                    models.Index(
                        condition=models.Q(("next_attempt_at__isnull", False)),
                        fields=["next_attempt_at"],
                        name="billing_due",
                    ),
                    models.Index(
                        condition=models.Q(("next_attempt_at__isnull", False)),
                        fields=["wanted_at"],
                        name="billing_oldest",
                    ),
                    models.Index(fields=["status"], name="billing_by_status"),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("status__in", ["pending", "active", "failed", "closed"])
                        ),
                        name="billing_status_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("status__in", ["active", "closed"]), _negated=True),
                            models.Q(("account_id", ""), _negated=True),
                            _connector="OR",
                        ),
                        name="billing_active_has_account",
                    ),
                ],
            },
        ),
    ]
