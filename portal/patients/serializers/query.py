"""The query of a list of patients in the REST API."""

from collections.abc import Mapping
from typing import Any

from rest_framework import serializers

from portal.errors import InvalidInput, MemberProblem
from portal.patients.models import Sex, Status
from portal.patients.selectors import LARGEST_PAGE


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
        source="filters.identifier", required=False, help_text="`value`, or `system|value`"
    )
    cursor = serializers.CharField(required=False, help_text="From the Link header")
    limit = serializers.IntegerField(
        required=False, min_value=1, max_value=LARGEST_PAGE, default=50
    )

    def to_internal_value(self, data: Mapping[str, str]) -> dict[str, Any]:
        known = [*self.fields, "format"]
        if unknown := [name for name in data if name not in known]:
            message = f"There is no such filter. Known are {', '.join(known)}."
            problems = [MemberProblem(name, "unknown-field", message) for name in unknown]
            raise InvalidInput(errors=problems)
        return super().to_internal_value(data)
