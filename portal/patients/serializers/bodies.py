"""The bodies of patients in the REST API: members that a client sends become validated details."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from rest_framework import serializers

from portal.errors import FieldProblem, InvalidInput, MemberProblem, camel, escape_name
from portal.patients.entered_identifiers import VALIDITY
from portal.patients.fields import ADDRESS, ENTERED_FIELDS, JSON_NAMES
from portal.patients.models import Status
from portal.patients.serializers.members import (
    LONGEST_LINE,
    Identifier,
    Member,
    fields_of,
    sent_member,
)
from portal.patients.serializers.one_line import change_address, split_address, split_name
from portal.patients.serializers.shapes import shape_problems
from portal.patients.validation import validate_details

SET_BY_SERVER = ("id", "mrn", "version", "mergedInto", "billing", "warnings", "matchedOn")
# What an answer told of the moment; a change may carry it along, as it was then.
OF_THE_MOMENT = frozenset({"billing", "warnings", "matchedOn"})
LONGEST_REASON = 500  # Characters of a `duplicateReason`.
_NAME = ("family_name", "given_name", "middle_name", "prefix", "suffix")
# Fields of which one is faulty only beside the other: an answer names the one that was sent.
_BESIDE = {"deceased_on": "date_of_birth", "family_name": "given_name"}


class DetailsBody(serializers.Serializer[Any]):
    """The members of every body. The parts win over `name` and `address`."""

    name = serializers.CharField(
        source="full_name",
        required=False,
        allow_blank=True,
        allow_null=True,
        max_length=LONGEST_LINE,
        help_text="Instead of the parts: `Dr Jane Smith`, `Smith, Jane` or `Jane Smith, Jr.`",
    )
    address = serializers.CharField(
        source="address_text",
        required=False,
        allow_blank=True,
        allow_null=True,
        max_length=LONGEST_LINE,
        help_text="Instead of the parts: one line",
    )
    identifiers = Identifier(many=True, required=False)

    def get_fields(self) -> dict[str, Member]:
        """Returns the members above, and one for each field that people enter."""
        declared = super().get_fields()
        parts = {JSON_NAMES[field.name]: sent_member(field) for field in ENTERED_FIELDS}
        return {"name": declared.pop("name"), **parts, **declared}

    def to_internal_value(self, data: dict[str, Any]) -> dict[str, Any]:
        """Returns the details that services take. InvalidInput names every faulty member at once.

        With the patient as `instance`, and as JSON in the context's `stored`, members that are as
        the API answered them change nothing: a client may send back what it read.
        """
        changed = self._changed_members(data)
        misshapen = shape_problems(changed, fields_of(type(self)))
        problems = [problem for found in misshapen.values() for problem in found]
        problems += [problem for member in changed if (problem := self._problem_with(member))]
        readable = {name: value for name, value in changed.items() if name not in misshapen}
        try:
            # What is missing is known only where every member could be read.
            partial = self.partial or bool(misshapen)
            details = validate_details(self._details_in(readable), partial=partial)
        except InvalidInput as error:
            problems += [_at_member(problem, data) for problem in error.errors]
        if problems:
            raise InvalidInput(errors=problems)
        return details

    def run_validators(self, value: Any) -> None:
        """Checks nothing more: REST framework's would build every member anew to find none."""

    def _changed_members(self, data: Mapping[str, Any]) -> dict[str, Any]:
        if self.instance is None:
            return {**data}
        answered = self.context["stored"]
        return {
            member: value
            for member, value in data.items()
            if member not in OF_THE_MOMENT and (member not in answered or value != answered[member])
        }

    def _problem_with(self, member: str) -> FieldProblem | None:
        if member in SET_BY_SERVER:
            return MemberProblem(member, "read-only", "This is set by the server; leave it out.")
        if member in fields_of(type(self)):
            return None
        return MemberProblem(escape_name(member), "unknown-field", "There is no such field.")

    def _details_in(self, members: Mapping[str, Any]) -> dict[str, Any]:
        details: dict[str, Any] = {}
        if "address" in members:
            details |= self._details_in_line(members["address"] or "")
        if "name" in members:
            details |= split_name(members["name"] or "", self.instance)
        fields = fields_of(type(self))
        for member, value in members.items():
            if member == "identifiers":
                details["identifiers"] = _with_column_names(value)
            elif member in fields and member not in {"name", "address", *SET_BY_SERVER}:
                details[str(fields[member].source)] = value
        return details

    def _details_in_line(self, address: str) -> dict[str, Any]:
        """Returns the parts of an address in one line; a change keeps what the line leaves out."""
        if self.partial and self.instance is not None:
            return change_address(self.instance, address)
        return split_address(address)


class NewPatientBody(DetailsBody):
    """What a client sends to register a patient."""

    duplicateReason = serializers.CharField(
        required=False,
        allow_blank=True,
        allow_null=True,
        max_length=LONGEST_REASON,
        help_text="Why this is another person than the patient of the same name and date of birth",
    )

    def to_internal_value(self, data: dict[str, Any]) -> dict[str, Any]:
        """Returns the details, and beside them the `duplicate_reason`."""
        members = {**data}
        reason = members.pop("duplicateReason", None)
        if problems := shape_problems({"duplicateReason": reason}, fields_of(type(self))):
            raise InvalidInput(errors=problems["duplicateReason"])
        return {**super().to_internal_value(members), "duplicate_reason": (reason or "").strip()}


class PatientBody(DetailsBody):
    """What a client sends to change a patient: it may send back what it read."""

    status = serializers.ChoiceField(
        [Status.ACTIVE.value, Status.ARCHIVED.value],
        required=False,
        help_text="`active` restores an archived patient",
    )


@contextmanager
def pointing_at(body: Mapping[str, Any]) -> Iterator[None]:
    """Lets the problems of services name the members of this body instead of columns."""
    try:
        yield
    except InvalidInput as error:
        error.errors = [_at_member(problem, body) for problem in error.errors]
        raise


def _at_member(problem: FieldProblem, body: Mapping[str, Any]) -> FieldProblem:
    """Returns the problem at the member that was sent: `name`, where its parts came out of that."""
    if isinstance(problem, MemberProblem):
        return problem
    for column in (problem.pointer, _BESIDE.get(problem.pointer, "")):
        if (member := JSON_NAMES.get(column, column)) in body:
            return MemberProblem(member, problem.code, problem.detail)
        for whole, parts in (("name", _NAME), ("address", ADDRESS)):
            if whole in body and column in parts:
                return MemberProblem(whole, problem.code, problem.detail)
    member = JSON_NAMES.get(problem.pointer) or camel(problem.pointer)
    return MemberProblem(member, problem.code, problem.detail)


def _with_column_names(identifiers: Any) -> Any:
    """Returns the list with `validFrom` as `valid_from`."""
    names = {camel(name): name for name in VALIDITY}
    return [{names.get(name, name): value for name, value in item.items()} for item in identifiers]
