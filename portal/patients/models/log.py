"""The event log: a row for each committed change of a patient, and the outbox for Kafka."""

import pghistory
import pgtrigger
from django.db import models
from django.db.models import Q
from django.db.models.fields.json import KeyTransform

from portal.patients.fields import NOT_IN_LOG
from portal.patients.log_context import ContextField
from portal.patients.log_triggers import Deleted, Inserted, Updated
from portal.patients.models.patient import Patient
from portal.patients.triggers import fill_outbox

INSERTED, UPDATED, DELETED = "insert", "update", "delete"

_Log = pghistory.create_event_model(
    Patient,
    Inserted(INSERTED),
    Updated(UPDATED),
    Deleted(DELETED),
    exclude=[*NOT_IN_LOG],
    context_field=pghistory.ContextJSONField(),
    abstract=True,
)


# After each `migrate`, sql/log_trigger_settings.sql settles how the update trigger is planned.
class PatientEvent(_Log):  # type: ignore[misc,valid-type]
    """The patient after a change (before a delete), who made the change, and by which channel."""

    pgh_id = models.BigAutoField(primary_key=True)
    pgh_context = ContextField(null=True)
    merged_into = models.ForeignKey(
        Patient,
        null=True,
        db_constraint=False,
        db_index=False,
        on_delete=models.DO_NOTHING,
        related_name="+",
    )

    class Meta:
        ordering = ["pgh_id"]
        default_permissions = ("view",)
        indexes = [
            models.Index(fields=["pgh_created_at"], name="event_by_time"),
            models.Index(
                KeyTransform("user", "pgh_context"), "pgh_created_at", name="event_by_person"
            ),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["pgh_obj", "version"],
                condition=~Q(pgh_label=DELETED),
                name="one_event_per_version",
            )
        ]
        triggers = [
            fill_outbox(),
            pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete),
        ]

    def __str__(self) -> str:
        return f"event {self.pgh_id}"


class IdentifierChange(models.Model):
    """An identifier that was added or removed, with the version of the record that it came with."""

    patient_id = models.UUIDField()  # No foreign key: it outlives the patient.
    version = models.BigIntegerField()
    is_added = models.BooleanField()
    system = models.CharField(max_length=200)
    value = models.CharField(max_length=100)
    valid_from = models.DateField(null=True)
    valid_to = models.DateField(null=True)

    class Meta:
        ordering = ["id"]
        default_permissions = ()
        indexes = [
            models.Index(fields=["patient_id", "version"], name="identifier_change_by_patient")
        ]
        triggers = [
            pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete)
        ]

    def __str__(self) -> str:
        return f"identifier change {self.pk}"


class EventOutbox(models.Model):
    """Events that the broker has not acknowledged yet; the relay deletes a row after it has."""

    event_id = models.BigIntegerField(primary_key=True)

    class Meta:
        ordering = ["event_id"]
        default_permissions = ("view",)

    def __str__(self) -> str:
        return f"event {self.event_id}"
