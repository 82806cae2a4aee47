"""/api/patients/{id}/merge and /unmerge: two records of one person become one, and two again, for programs."""

from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from portal.accounts.rules import needs, user_of
from portal.duplicates.merge import merge_patient, unmerge_patient
from portal.duplicates.merge_fields import MERGE_FIELDS, fields_missing_in
from portal.errors import FieldProblem, InvalidInput, camel
from portal.patients.api import CHANNEL, IF_MATCH, expected_version, json_object, patient_response
from portal.patients.fields import JSON_NAMES
from portal.patients.selectors import open_patient
from portal.patients.serializers.patient import PatientJson

TAKES = {JSON_NAMES.get(name, camel(name)): name for name in MERGE_FIELDS}


class MergeBody(serializers.Serializer[Any]):
    into = serializers.UUIDField(help_text="The record that stays")
    reason = serializers.CharField(help_text="How you know that it is one person; kept in the log")
    take = serializers.ListField(
        child=serializers.ChoiceField([*TAKES]),
        required=False,
        help_text="Whose value comes from the merged record; without it, what the record that stays does not say",
    )
    intoVersion = serializers.IntegerField(
        required=False, help_text="The version of `into` that you read; 412 if it is stale"
    )


class _Sent(MergeBody):
    """As it is checked: of what is missing in the reason or wrong in `take` the service speaks, for every door."""

    reason = serializers.CharField(allow_blank=True, default="")
    take = serializers.ListField(child=serializers.CharField(), required=False)


class UnmergedPatientJson(PatientJson):
    left = serializers.ListField(
        child=serializers.CharField(), help_text="What the record that stayed keeps"
    )


class Merge(APIView):
    permission_classes = (needs(POST="patients.merge_patient"),)
    serializer_class = MergeBody

    @extend_schema(
        parameters=[IF_MATCH],
        request=MergeBody,
        responses=PatientJson,
        summary="Merge into another record",
    )
    def post(self, request: Request, patient_id: UUID) -> Response:
        """Answers with the record that stays. This one is kept, read-only, with the status merged and `mergedInto`."""
        user, body = user_of(request), _checked(json_object(request))
        into = body["into"]
        merged = merge_patient(
            patient_id,
            into=into,
            by=user,
            source=CHANNEL,
            reason=body["reason"],
            take=_taken(body["take"]) if "take" in body else _missing(request, patient_id, into),
            expected_version=expected_version(request),
            expected_into_version=body.get("intoVersion"),
        )
        return patient_response(merged)


class Unmerge(APIView):
    permission_classes = (needs(POST="patients.merge_patient"),)
    serializer_class = serializers.Serializer

    @extend_schema(
        parameters=[IF_MATCH],
        request=None,
        responses=UnmergedPatientJson,
        summary="Take a merge back",
    )
    def post(self, request: Request, patient_id: UUID) -> Response:
        """Answers with this record as it was; `left` names what the other one keeps, since it was changed there."""
        version = expected_version(request)
        parted = unmerge_patient(
            patient_id, by=user_of(request), source=CHANNEL, expected_version=version
        )
        names = {name: json_name for json_name, name in TAKES.items()}
        return patient_response(parted.duplicate, left=[names.get(one, one) for one in parted.left])


def _checked(body: dict[str, Any]) -> dict[str, Any]:
    unknown = [name for name in body if name not in MergeBody().fields]
    if unknown:
        raise InvalidInput(
            errors=[
                FieldProblem(one, "unknown-field", "There is no such field.") for one in unknown
            ]
        )
    checked = _Sent(data=body)
    checked.is_valid(raise_exception=True)
    return checked.validated_data


def _taken(names: list[str]) -> list[str]:
    """What is no choice of ours goes on as it is: the service names those that are."""
    return [TAKES.get(name, name) for name in names]


def _missing(request: Request, patient_id: UUID, into: UUID) -> list[str]:
    """What the record that stays does not say; both were read for it."""
    duplicate, survivor = (
        open_patient(user_of(request), one, channel=CHANNEL, action="compare")
        for one in (patient_id, into)
    )
    return fields_missing_in(survivor, duplicate)
