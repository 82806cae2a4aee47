"""Pairs of patients who may be one person, and the scans that look for them."""

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Func, Q
from django.db.models.functions import Now

from portal.patients.models.patient import Patient

# The count of reasons of a pair.
AGREEING = Func("reasons", function="cardinality", output_field=models.IntegerField())


class PairState(models.TextChoices):
    """The state of a pair. A merge has none of its own: one of the two is not active then."""

    OPEN = "open", "To be decided"
    DISMISSED = "apart", "Set apart"
    GONE = "gone", "One of them is not active"


class PossibleDuplicate(models.Model):
    """Two patients who agree in much; the smaller id is `first`. It names no value of theirs.

    Pairs go with a deleted patient, by SQL too: the database's foreign keys cascade.
    """

    first = models.ForeignKey(
        Patient,
        on_delete=models.CASCADE,
        db_constraint=False,
        db_index=False,
        related_name="pairs_as_first",
    )
    second = models.ForeignKey(
        Patient, on_delete=models.CASCADE, db_constraint=False, related_name="pairs_as_second"
    )
    grade = models.CharField(
        max_length=8, help_text="As in duplicates.Grade; the surest sorts first"
    )
    reasons = ArrayField(models.CharField(max_length=80), default=list)
    state = models.CharField(max_length=5, choices=PairState, default=PairState.OPEN)
    found_at = models.DateTimeField(db_default=Now())
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    decided_at = models.DateTimeField(null=True)
    reason = models.CharField(max_length=200, blank=True)

    class Meta:
        ordering = ["grade", "-id"]
        default_permissions = ()
        indexes = [
            models.Index(
                F("state"), F("grade"), AGREEING.desc(), F("id").desc(), name="pair_as_listed"
            ),
            models.Index(
                F("decided_at").desc(),
                F("id").desc(),
                condition=Q(state="apart"),
                name="pair_set_apart",
            ),
        ]
        constraints = [
            models.UniqueConstraint(fields=["first", "second"], name="one_row_per_pair"),
            models.CheckConstraint(condition=Q(first__lt=F("second")), name="pair_in_order"),
            models.CheckConstraint(
                condition=Q(state__in=PairState.values), name="pair_state_known"
            ),
            models.CheckConstraint(
                condition=~Q(state="apart") | Q(decided_at__isnull=False), name="pair_apart_since"
            ),
        ]

    def __str__(self) -> str:
        return f"pair {self.pk}"


class DuplicateScan(models.Model):
    """A scan of all active patients for pairs: requested, then started, then ended."""

    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    asked_at = models.DateTimeField(db_default=Now())
    started_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    is_cut_off = models.BooleanField(default=False)
    step = models.CharField(max_length=60, blank=True)
    noted_event = models.BigIntegerField(
        null=True, help_text="The log's last event that was looked at, by it or since"
    )
    figures = models.JSONField(default=dict)

    class Meta:
        ordering = ["-id"]
        default_permissions = ()

    def __str__(self) -> str:
        return f"scan {self.pk}"
