"""A patient as the REST API answers it, alone or as one that a search found."""

from collections.abc import Sequence
from typing import Any

from rest_framework import serializers

from portal.patients.entered_dates import impossible_dates
from portal.patients.extensions import extension_members
from portal.patients.fields import ENTERED_FIELDS, JSON_NAMES
from portal.patients.models import Patient, Status
from portal.patients.search.engine import PatientHit
from portal.patients.serializers.members import Identifier, Member, answered_member, is_bad


class Billing(serializers.Serializer[Any]):
    status = serializers.ChoiceField(["pending", "active", "failed", "closed"])
    accountId = serializers.CharField(allow_null=True)


class PatientJson(serializers.Serializer[Any]):
    """A patient as the API answers it."""

    id = serializers.UUIDField()
    mrn = serializers.CharField()
    name = serializers.CharField(source="full_name")
    address = serializers.CharField(source="address_text", help_text="In one line")
    identifiers = Identifier(many=True)
    status = serializers.ChoiceField(Status.choices)
    mergedInto = serializers.UUIDField(
        source="merged_into_id",
        allow_null=True,
        help_text="The record that stands for the person, while the status is merged",
    )
    version = serializers.IntegerField()
    billing = Billing(allow_null=True)
    warnings = serializers.ListField(
        child=serializers.CharField(),
        required=False,
        help_text="What is wrong with the stored record, such as a date that cannot be",
    )

    def get_fields(self) -> dict[str, Member]:
        """Returns the members above, and one for each field that people enter."""
        declared = super().get_fields()
        first = {name: declared.pop(name) for name in ("id", "mrn", "name")}
        parts = {JSON_NAMES[field.name]: answered_member(field) for field in ENTERED_FIELDS}
        return {**first, **parts, **declared}

    def to_representation(self, instance: Patient) -> dict[str, Any]:
        """Returns the members with those that other areas add, such as `billing`."""
        members = super().to_representation(instance) | self.context["extensions"][instance.pk]
        problems, stored_identifiers = impossible_dates(instance), instance.identifiers.all()
        for problem in problems:
            members[JSON_NAMES[problem.pointer]] = None  # No client reads a year of five digits.
        warnings = [problem.detail for problem in problems]
        if any(is_bad(row.valid_from) or is_bad(row.valid_to) for row in stored_identifiers):
            warnings.append("The validity of an identifier is not possible. Correct it first.")
        return members | ({"warnings": warnings} if warnings else {})


class FoundPatientJson(PatientJson):
    """A patient whom a search found."""

    matchedOn = serializers.CharField(
        required=False,
        help_text="With `q`: what of the patient it finds, such as `Name` or `Phone ends in 0018`",
    )

    def to_representation(self, instance: PatientHit) -> dict[str, Any]:  # type: ignore[override]
        reason = {"matchedOn": instance.reason} if instance.reason else {}
        return super().to_representation(instance.patient) | reason


def patient_json(patient: Patient) -> dict[str, Any]:
    """Returns the whole patient as the API answers it."""
    members = extension_members([patient.pk])
    return {**PatientJson(patient, context={"extensions": members}).data}


def found_patients_json(hits: Sequence[PatientHit]) -> list[dict[str, Any]]:
    """Returns the patients of a page of hits; one query for each extension, however many hits."""
    members = extension_members([hit.patient.pk for hit in hits])
    return [*FoundPatientJson(hits, many=True, context={"extensions": members}).data]
