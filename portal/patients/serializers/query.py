"""The query of a list of patients in the REST API."""

from collections.abc import Mapping
from typing import Any

from django.http import QueryDict
from rest_framework import serializers

from portal.errors import InvalidInput, MemberProblem, escape_name
from portal.patients.columns import max_length_of
from portal.patients.entered_identifiers import LONGEST_TYPED_NUMBER
from portal.patients.models import PatientIdentifier, Sex, Status
from portal.patients.selectors import LARGEST_PAGE
from portal.sealed_cursor import LONGEST_CURSOR

# Characters of `system|value`.
LONGEST_IDENTIFIER = max_length_of(PatientIdentifier, "system") + 1 + LONGEST_TYPED_NUMBER


class ListQuery(serializers.Serializer[Any]):
    """The query of a list. `validated_data["filters"]` are those of `selectors.PatientFilters`."""

    q = serializers.CharField(
        required=False,
        allow_blank=True,
        help_text="Name, MRN, phone, date or identifier; the first 200 characters are read",
    )
    dateOfBirth = serializers.DateField(source="filters.date_of_birth", required=False)
    sex = serializers.ChoiceField(Sex.choices, source="filters.sex", required=False)
    status = serializers.ChoiceField(
        Status.choices,
        source="filters.status",
        required=False,
        help_text="Without it, active patients",
    )
    registeredFrom = serializers.DateField(source="filters.registered_from", required=False)
    registeredTo = serializers.DateField(source="filters.registered_to", required=False)
    identifier = serializers.CharField(
        source="filters.identifier",
        required=False,
        max_length=LONGEST_IDENTIFIER,
        help_text="`value`, or `system|value`",
    )
    cursor = serializers.CharField(
        required=False, max_length=LONGEST_CURSOR, help_text="From the Link header"
    )
    limit = serializers.IntegerField(
        required=False, min_value=1, max_value=LARGEST_PAGE, default=50
    )

    def to_internal_value(self, data: Mapping[str, str]) -> dict[str, Any]:
        known = [*self.fields, "format"]
        message = f"There is no such filter. Known are {', '.join(known)}."
        problems = [
            MemberProblem(escape_name(name), "unknown-field", message)
            for name in data
            if name not in known
        ]
        problems += [
            MemberProblem(name, "repeated", "Give each filter once.")
            for name in known
            if isinstance(data, QueryDict) and len(data.getlist(name)) > 1
        ]
        if problems:
            raise InvalidInput(errors=problems)
        return super().to_internal_value(data)
