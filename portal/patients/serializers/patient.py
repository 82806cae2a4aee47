"""A patient in the REST API: a body becomes validated details, and a patient the answer's JSON.

The serializers also draw the OpenAPI document and the browsable form. The rules of the fields are
in `validation`.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from rest_framework import serializers

from portal.errors import FieldProblem, InvalidInput, MemberProblem, camel
from portal.patients.extensions import extension_members
from portal.patients.fields import ADDRESS, ENTERED_FIELDS, JSON_NAMES, Kind, PatientField
from portal.patients.models import Patient, PatientIdentifier, Status
from portal.patients.search.hits import Hit
from portal.patients.serializers.one_line import change_address, split_address, split_name
from portal.patients.validation import (
    LONGEST_TYPED_NUMBER,
    MOST_IDENTIFIERS,
    VALIDITY,
    choices_of,
    impossible_dates,
    max_length_of,
    validate_details,
)
from portal.stored_dates import ImpossibleDate

SET_BY_SERVER = ("id", "mrn", "version", "mergedInto", "billing", "warnings", "matchedOn")
# What an answer told of the moment; a change may carry it along, as it was then.
OF_THE_MOMENT = frozenset({"billing", "warnings", "matchedOn"})
LONGEST_REASON = 500  # Characters of a `duplicateReason`.
LONGEST_LINE = 640  # Characters of a name or an address in one line: of all its parts.
_NAME = ("family_name", "given_name", "middle_name", "prefix", "suffix")


class Identifier(serializers.Serializer[Any]):
    system = serializers.CharField(
        max_length=max_length_of(PatientIdentifier, "system"),
        help_text="ssn, driver, passport, insurance, or a URI",
    )
    value = serializers.CharField(
        max_length=LONGEST_TYPED_NUMBER, help_text="Kept as letters and digits in capitals"
    )
    validFrom = serializers.DateField(
        source="valid_from",
        required=False,
        allow_null=True,
        help_text="Left out, it stays as it is stored",
    )
    validTo = serializers.DateField(source="valid_to", required=False, allow_null=True)

    def to_representation(self, instance: PatientIdentifier) -> dict[str, Any]:
        """Returns the members; a day that cannot be is null, as no client could read it."""
        members = super().to_representation(instance)
        days = {"validFrom": instance.valid_from, "validTo": instance.valid_to}
        return members | dict.fromkeys((name for name, day in days.items() if _is_bad(day)), None)


def _is_bad(day: date | None) -> bool:
    return isinstance(day, ImpossibleDate)


class Billing(serializers.Serializer[Any]):
    status = serializers.ChoiceField(["pending", "active", "failed", "closed"])
    accountId = serializers.CharField(allow_null=True)


class PatientBody(serializers.Serializer[Any]):
    """What a client may send. The parts win over `name` and `address`."""

    name = serializers.CharField(
        source="full_name",
        required=False,
        max_length=LONGEST_LINE,
        help_text="Instead of the parts: `Dr Jane Smith`, `Smith, Jane` or `Jane Smith, Jr.`",
    )
    address = serializers.CharField(
        source="address_text",
        required=False,
        allow_blank=True,
        max_length=LONGEST_LINE,
        help_text="Instead of the parts: one line",
    )
    identifiers = Identifier(many=True, required=False)

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        """Returns the members above, and one for each field that people enter."""
        declared = super().get_fields()
        parts = {JSON_NAMES[field.name]: _member_for(field) for field in ENTERED_FIELDS}
        return {"name": declared.pop("name"), **parts, **declared}

    def to_internal_value(self, data: dict[str, Any]) -> dict[str, Any]:
        """Returns the details that services take. InvalidInput names every faulty member at once.

        With the patient as `instance`, members that are as the API answered them change nothing: a
        client may send back what it read.
        """
        changed = self._changed_members(data)
        problems = [problem for member in changed if (problem := self._problem_with(member))]
        problems += _unknown_in_identifiers(changed.get("identifiers"))
        try:
            details = validate_details(self._details_in(changed), partial=self.partial)
        except InvalidInput as error:
            problems += [_at_member(problem, data) for problem in error.errors]
        if problems:
            raise InvalidInput(errors=problems)
        return details

    def _changed_members(self, data: Mapping[str, Any]) -> dict[str, Any]:
        if self.instance is None:
            return {**data}
        answered = patient_json(self.instance)
        return {
            member: value
            for member, value in data.items()
            if member not in OF_THE_MOMENT and (member not in answered or value != answered[member])
        }

    def _problem_with(self, member: str) -> FieldProblem | None:
        if member in self.fields:
            return None
        if member in SET_BY_SERVER:
            return MemberProblem(member, "read-only", "This is set by the server; leave it out.")
        return MemberProblem(member, "unknown-field", "There is no such field.")

    def _details_in(self, members: Mapping[str, Any]) -> dict[str, Any]:
        details: dict[str, Any] = {}
        if "address" in members:
            details |= self._details_in_line(members["address"])
        if "name" in members:
            details |= split_name(members["name"], self.instance)
        for member, value in members.items():
            if member == "identifiers":
                details["identifiers"] = _with_column_names(value)
            elif member in self.fields and member not in {"name", "address"}:
                details[str(self.fields[member].source)] = value
        return details

    def _details_in_line(self, address: Any) -> dict[str, Any]:
        """Returns the parts of an address in one line; a change keeps what the line leaves out."""
        if self.partial and self.instance is not None and isinstance(address, str):
            return change_address(self.instance, address)
        return split_address(address)


def _member_for(field: PatientField) -> serializers.Field[Any, Any, Any, Any]:
    options: dict[str, Any] = {"required": False, "help_text": field.json_help or None}
    if JSON_NAMES[field.name] != field.name:
        options["source"] = field.name
    match field.kind:
        case Kind.DATE:
            return serializers.DateField(allow_null=True, **options)
        case Kind.CHOICE:
            return serializers.ChoiceField(choices_of(field.name), **options)
        case Kind.EMAIL:
            longest = max_length_of(Patient, field.name)
            return serializers.EmailField(allow_blank=True, max_length=longest, **options)
        case Kind.TEXT | Kind.PHONE:
            longest = max_length_of(Patient, field.name)
            return serializers.CharField(allow_blank=True, max_length=longest, **options)
        case _:
            return serializers.CharField(allow_blank=True, **options)


def _with_column_names(identifiers: Any) -> Any:
    """Returns the list with `validFrom` as `valid_from`; `validation` refuses another shape."""
    if not isinstance(identifiers, list):
        return identifiers
    names = {camel(name): name for name in VALIDITY}
    return [
        {names.get(name, name): value for name, value in item.items()}
        if isinstance(item, Mapping)
        else item
        for item in identifiers
    ]


def _at_member(problem: FieldProblem, body: Mapping[str, Any]) -> FieldProblem:
    """Returns the problem at the member that was sent: `name`, where its parts came out of that."""
    member = JSON_NAMES.get(problem.pointer) or camel(problem.pointer)
    for whole, parts in (("name", _NAME), ("address", ADDRESS)):
        if whole in body and problem.pointer in parts and member not in body:
            member = whole
    return MemberProblem(member, problem.code, problem.detail)


def _unknown_in_identifiers(identifiers: Any) -> list[FieldProblem]:
    """Returns a problem for each member of an identifier that there is not."""
    if not isinstance(identifiers, list):
        return []
    known = Identifier().fields
    return [
        MemberProblem(f"identifiers/{index}/{name}", "unknown-field", "There is no such field.")
        for index, item in enumerate(identifiers[:MOST_IDENTIFIERS])
        if isinstance(item, Mapping)
        for name in item
        if name not in known
    ]


class NewPatientBody(PatientBody):
    """What a client sends to register a patient."""

    duplicateReason = serializers.CharField(
        required=False,
        max_length=LONGEST_REASON,
        help_text="Why this is another person than the patient of the same name and date of birth",
    )

    def to_internal_value(self, data: dict[str, Any]) -> dict[str, Any]:
        """Returns the details, and beside them the `duplicate_reason`."""
        members = {**data}
        reason = members.pop("duplicateReason", None) or ""
        if not isinstance(reason, str):
            problem = MemberProblem("duplicateReason", "not-text", "Give text.")
            raise InvalidInput(errors=[problem])
        if len(reason) > LONGEST_REASON:
            message = f"Use at most {LONGEST_REASON} characters."
            raise InvalidInput(errors=[MemberProblem("duplicateReason", "too-long", message)])
        return {**super().to_internal_value(members), "duplicate_reason": reason.strip()}


class PatientJson(PatientBody):
    """A patient as the API answers it."""

    id = serializers.UUIDField()
    mrn = serializers.CharField()
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
        read_only=True,
        help_text="What is wrong with the stored record, such as a date that cannot be",
    )

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        fields = super().get_fields()
        return {"id": fields.pop("id"), "mrn": fields.pop("mrn"), **fields}

    def to_representation(self, instance: Patient) -> dict[str, Any]:
        """Returns the members with those that other areas add, such as `billing`."""
        members = super().to_representation(instance) | self.context["extensions"][instance.pk]
        problems, stored_identifiers = impossible_dates(instance), instance.identifiers.all()
        for problem in problems:
            members[JSON_NAMES[problem.pointer]] = None  # No client reads a year of five digits.
        warnings = [problem.detail for problem in problems]
        if any(_is_bad(row.valid_from) or _is_bad(row.valid_to) for row in stored_identifiers):
            warnings.append("The validity of an identifier is not possible. Correct it first.")
        return members | ({"warnings": warnings} if warnings else {})


class FoundPatientJson(PatientJson):
    """A patient whom a search found."""

    matchedOn = serializers.CharField(
        required=False,
        help_text="With `q`: what of the patient it finds, such as `Name` or `Phone ends in 0018`",
    )

    def to_representation(self, instance: Hit) -> dict[str, Any]:  # type: ignore[override]
        reason = {"matchedOn": instance.reason} if instance.reason else {}
        return super().to_representation(instance.patient) | reason


def patient_json(patient: Patient) -> dict[str, Any]:
    """Returns the whole patient as the API answers it."""
    members = extension_members([patient.pk])
    return {**PatientJson(patient, context={"extensions": members}).data}


def found_patients_json(hits: Sequence[Hit]) -> list[dict[str, Any]]:
    """Returns the patients of a page of hits; one query for each extension, however many hits."""
    members = extension_members([hit.patient.pk for hit in hits])
    return [*FoundPatientJson(hits, many=True, context={"extensions": members}).data]
