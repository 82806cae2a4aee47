"""What the REST API answers beside a patient: what was changed, and who may be the same person."""

from datetime import UTC
from typing import Any

from rest_framework import serializers

from portal.patients.matching.rules import MatchGrade


class MatchJson(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    grade = serializers.ChoiceField(
        [grade.value for grade in MatchGrade], help_text="FHIR's match-grade"
    )
    reasons = serializers.ListField(
        child=serializers.CharField(), help_text="What agrees, without a value"
    )


class DuplicateProblem(serializers.Serializer[Any]):
    """The members that the 409 for a known person has beside those of every problem."""

    patientIds = serializers.ListField(child=serializers.UUIDField())
    candidates = MatchJson(many=True)
    duplicate = serializers.BooleanField()


class FieldChange(serializers.Serializer[Any]):
    field = serializers.CharField()
    old = serializers.CharField(allow_blank=True)
    new = serializers.CharField(allow_blank=True)

    def to_representation(self, instance: tuple[str, str, str]) -> dict[str, str]:
        name, old, new = instance
        return {"field": name.removesuffix("_id"), "old": old, "new": new}


class ChangeJson(serializers.Serializer[Any]):
    eventId = serializers.IntegerField(source="event_id")
    version = serializers.IntegerField()
    at = serializers.DateTimeField(default_timezone=UTC)
    kind = serializers.ChoiceField(["insert", "update", "delete"])
    by = serializers.CharField(source="actor")
    source = serializers.CharField()  # type: ignore[assignment]  # A member of the contract.
    changes = FieldChange(source="fields", many=True)
