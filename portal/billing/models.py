"""The accounts: a row for each patient has what billing was asked for and what it answered."""

import pgtrigger
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from portal.billing.reasons import Reason, reason_of
from portal.patients.models import Patient


class AccountStatus(models.TextChoices):
    PENDING = "pending", "Pending"
    ACTIVE = "active", "Active"
    FAILED = "failed", "Failed"
    CLOSED = "closed", "Closed"


class BillingAccount(models.Model):
    """A patient's account. While `next_attempt_at` is set, billing has yet to hear of something."""

    patient = models.OneToOneField(
        Patient,
        on_delete=models.CASCADE,
        primary_key=True,
        related_name="billing_account",
        verbose_name="patient",
    )
    status = models.CharField(
        max_length=7,
        choices=AccountStatus,
        default=AccountStatus.PENDING,
        db_default=AccountStatus.PENDING,
    )
    account_id = models.CharField(
        max_length=40, blank=True, db_default="", help_text="Empty until billing opened it"
    )
    wanted_version = models.BigIntegerField(
        help_text="Version of the patient that billing should know"
    )
    synced_version = models.BigIntegerField(
        db_default=0, help_text="Version of the patient that billing knows"
    )
    attempts = models.IntegerField(db_default=0, help_text="Failed attempts since the last success")
    next_attempt_at = models.DateTimeField(
        null=True, db_default=Now(), help_text="Empty where nothing is left to do"
    )
    wanted_at = models.DateTimeField(db_default=Now(), help_text="Since when billing should know")
    # The relay's fencing number during a call; a later leader takes over what an earlier one held.
    claimed_by = models.BigIntegerField(null=True)
    last_error_code = models.CharField(max_length=40, blank=True, db_default="")
    answered_at = models.DateTimeField(
        null=True, help_text="When billing answered last; what is shown was true then"
    )
    updated_at = models.DateTimeField(db_default=Now())

    class Meta:
        default_permissions = ("view",)
        permissions = [("retry_billingaccount", "Can ask billing again")]
        indexes = [
            models.Index(
                fields=["next_attempt_at"],
                name="billing_due",
                condition=Q(next_attempt_at__isnull=False),
            ),
            models.Index(
                fields=["wanted_at"],
                name="billing_oldest",
                condition=Q(next_attempt_at__isnull=False),
            ),
            models.Index(
                fields=["updated_at"],
                name="billing_failed",
                condition=Q(status=AccountStatus.FAILED),
            ),
            models.Index(
                fields=["updated_at"],
                name="billing_closed",
                condition=Q(status=AccountStatus.CLOSED),
            ),
            models.Index(
                fields=["account_id"], name="billing_by_number", condition=~Q(account_id="")
            ),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(status__in=AccountStatus.values), name="billing_status_known"
            ),
            models.CheckConstraint(
                condition=~Q(status__in=["active", "closed"]) | ~Q(account_id=""),
                name="billing_active_has_account",
            ),
        ]
        triggers = [
            pgtrigger.Trigger(
                name="leave_orphan",
                when=pgtrigger.After,
                operation=pgtrigger.Delete,
                level=pgtrigger.Statement,
                referencing=pgtrigger.Referencing(old="old_rows"),
                func="""
                    INSERT INTO billing_orphanedaccount (patient_id, account_id)
                    SELECT patient_id, account_id FROM old_rows ON CONFLICT DO NOTHING;
                    RETURN NULL;
                """,
            )
        ]

    def __str__(self) -> str:
        return f"billing account {self.account_id or 'not yet opened'}"

    @property
    def reason(self) -> Reason | None:
        """Why billing refused, or did not answer when it was tried last; None where it did."""
        return reason_of(self.last_error_code) if self.last_error_code else None


class OrphanedAccount(models.Model):
    """The rest of an account whose patient was deleted: billing has yet to close it.

    The trigger above writes it, so that raw SQL does it too.
    """

    patient_id = models.UUIDField(primary_key=True)
    account_id = models.CharField(max_length=40, blank=True)
    left_at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ["left_at"]
        default_permissions = ("view",)

    def __str__(self) -> str:
        return f"orphaned account {self.account_id or 'not known'}"
