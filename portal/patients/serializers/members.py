"""The members of a patient in the REST API: each field of the table as a body takes and answers it.

They draw the OpenAPI document and the browsable form. The bounds are checked in `shapes`, the rules
of the fields in `validation`.
"""

from collections.abc import Mapping
from datetime import date
from functools import cache
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from portal.patients.columns import choices_of, max_length_of
from portal.patients.entered_identifiers import LONGEST_TYPED_NUMBER
from portal.patients.fields import JSON_NAMES, Kind, PatientField
from portal.patients.models import Patient, PatientIdentifier
from portal.stored_dates import ImpossibleDate

LONGEST_LINE = 640  # Characters of a name or an address in one line: of all its parts.
LONGEST_DAY = 60  # Characters of a date, which may be in words.
LONGEST_COUNTRY = 100  # Characters of a country, which may be its name.

Member = serializers.Field[Any, Any, Any, Any]
_DAY: dict[str, Any] = {"type": "string", "format": "date"}
_MONTH: dict[str, Any] = {"type": "string", "pattern": r"^\d{4}(-(0[1-9]|1[0-2]))?$"}
_NOTHING: list[dict[str, Any]] = [{"type": "string", "maxLength": 0}, {"type": "null"}]


@extend_schema_field({"anyOf": [_DAY, *_NOTHING]})
class DayMember(serializers.DateField):
    """A day, or "" or null for none."""


@extend_schema_field({"anyOf": [_DAY, _MONTH, *_NOTHING]})
class BirthMember(serializers.DateField):
    """A day, a month such as `1984-03`, or a year."""


@extend_schema_field({"type": ["string", "integer"], "maxLength": LONGEST_TYPED_NUMBER})
class ValueMember(serializers.CharField):
    """The value of an identifier."""


class Identifier(serializers.Serializer[Any]):
    system = serializers.CharField(
        max_length=max_length_of(PatientIdentifier, "system"),
        help_text="ssn, driver, passport, insurance, or a URI",
    )
    value = ValueMember(
        max_length=LONGEST_TYPED_NUMBER, help_text="Kept as letters and digits in capitals"
    )
    validFrom = DayMember(
        source="valid_from",
        required=False,
        allow_null=True,
        help_text="Left out, it stays as it is stored",
    )
    validTo = DayMember(source="valid_to", required=False, allow_null=True)

    def to_representation(self, instance: PatientIdentifier) -> dict[str, Any]:
        """Returns the members; a day that cannot be is null, as no client could read it."""
        members = super().to_representation(instance)
        days = {"validFrom": instance.valid_from, "validTo": instance.valid_to}
        return members | dict.fromkeys((name for name, day in days.items() if is_bad(day)), None)


def is_bad(day: date | None) -> bool:
    """Returns whether a stored day is none that a client could read."""
    return isinstance(day, ImpossibleDate)


@cache
def fields_of(serializer: type[serializers.Serializer[Any]]) -> Mapping[str, Member]:
    """Returns the members of a serializer, to look at: each of its objects would copy them all."""
    return serializer().fields


def sent_member(field: PatientField) -> Member:
    """Returns the member that a body may have for a field that people enter."""
    options = _options_of(field)
    match field.kind:
        case Kind.DATE:
            member = BirthMember if field.name == "date_of_birth" else DayMember
            return member(allow_null=True, **options)
        case Kind.CHOICE:
            return serializers.ChoiceField(choices_of(field.name), **options)
        case Kind.EMAIL:
            return serializers.EmailField(
                allow_blank=True, allow_null=True, max_length=_longest(field), **options
            )
        case _:
            return serializers.CharField(
                allow_blank=True, allow_null=True, max_length=_longest(field), **options
            )


def answered_member(field: PatientField) -> Member:
    """Returns the member that every answer has for a field that people enter."""
    options = _options_of(field) | {"required": True}
    match field.kind:
        case Kind.DATE:
            return serializers.DateField(allow_null=True, **options)
        case Kind.CHOICE:
            return serializers.ChoiceField(choices_of(field.name), **options)
        case _:
            return serializers.CharField(**options)


def _options_of(field: PatientField) -> dict[str, Any]:
    options: dict[str, Any] = {"required": False, "help_text": field.json_help or None}
    if JSON_NAMES[field.name] != field.name:
        options["source"] = field.name
    return options


def _longest(field: PatientField) -> int:
    if field.kind == Kind.COUNTRY:
        return LONGEST_COUNTRY
    return max_length_of(Patient, field.name)
