"""/api/patients/{id}/merge and /unmerge: two records of one person become one, and two again."""

from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from portal.accounts.rules import needs, user_of
from portal.duplicates.merge import MAX_REASON_LENGTH, merge_patient, unmerge_patient
from portal.duplicates.merge_fields import JSON_NAME_OF_CHOICE, choices_missing_in
from portal.duplicates.selectors import MERGE_PERMISSION
from portal.errors import InvalidInput, MemberProblem, escape_name
from portal.json_bodies import json_object
from portal.json_members import IdMember, NumberMember, TextMember
from portal.pagination import LARGEST_ID
from portal.patients.api import CHANNEL, ETAG, IF_MATCH, expected_version, patient_response
from portal.patients.selectors import open_patient
from portal.patients.serializers.patient import PatientJson

LONGEST_CHOICE = 60  # Characters of a name in `take`.
CHOICE_OF_JSON_NAME = {json_name: choice for choice, json_name in JSON_NAME_OF_CHOICE.items()}


class MergeBody(serializers.Serializer[Any]):
    """The request's body as the OpenAPI document describes it."""

    into = IdMember(help_text="The record that stays")
    reason = serializers.CharField(
        min_length=1,
        max_length=MAX_REASON_LENGTH,
        help_text="How you know that it is one person; kept in the log",
    )
    take = serializers.ListField(
        child=serializers.ChoiceField([*CHOICE_OF_JSON_NAME]),
        required=False,
        max_length=len(CHOICE_OF_JSON_NAME),
        help_text=(
            "Whose value comes from the merged record; "
            "without it, what the record that stays does not say"
        ),
    )
    intoVersion = NumberMember(
        required=False,
        min_value=1,
        max_value=LARGEST_ID,
        help_text="The version of `into` that you read; 412 if it is stale",
    )


class _LenientMergeBody(MergeBody):
    """The request's body as it is checked here: the service checks `reason` and `take`."""

    reason = TextMember(allow_blank=True, default="", max_length=MAX_REASON_LENGTH)
    take = serializers.ListField(
        child=TextMember(max_length=LONGEST_CHOICE),
        required=False,
        max_length=len(CHOICE_OF_JSON_NAME),
    )


class UnmergedPatientJson(PatientJson):
    left = serializers.ListField(
        child=serializers.CharField(), help_text="What the record that stayed keeps"
    )


class Merge(APIView):
    permission_classes = (needs(POST=MERGE_PERMISSION),)
    serializer_class = MergeBody

    @extend_schema(
        parameters=[IF_MATCH, ETAG],
        request=MergeBody,
        responses=PatientJson,
        summary="Merge into another record",
    )
    def post(self, request: Request, patient_id: UUID) -> Response:
        """Answers with the record that stays.

        This one is kept, read-only, with the status merged and `mergedInto`.
        """
        body = _checked_body(json_object(request))
        into = body["into"]
        if "take" in body:
            # A name that is no choice goes on as it is: the service's error names those that are.
            take = [CHOICE_OF_JSON_NAME.get(name, name) for name in body["take"]]
        else:
            take = _missing_choices(request, patient_id, into)
        survivor = merge_patient(
            patient_id,
            into=into,
            by=user_of(request),
            source=CHANNEL,
            reason=body["reason"],
            take=take,
            expected_version=expected_version(request),
            expected_into_version=body.get("intoVersion"),
        )
        return patient_response(survivor.pk)


class Unmerge(APIView):
    permission_classes = (needs(POST=MERGE_PERMISSION),)
    serializer_class = serializers.Serializer

    @extend_schema(
        parameters=[IF_MATCH, ETAG],
        request=None,
        responses=UnmergedPatientJson,
        summary="Undo a merge",
    )
    def post(self, request: Request, patient_id: UUID) -> Response:
        """Answers with this record as it was.

        `left` names what the other one keeps, since it was changed there.
        """
        version = expected_version(request)
        result = unmerge_patient(
            patient_id, by=user_of(request), source=CHANNEL, expected_version=version
        )
        left = [JSON_NAME_OF_CHOICE.get(name, name) for name in result.kept_by_survivor]
        return patient_response(result.unmerged.pk, left=left)


def _checked_body(body: dict[str, Any]) -> dict[str, Any]:
    serializer = _LenientMergeBody(data=body)
    unknown = [name for name in body if name not in serializer.fields]
    if unknown:
        detail = "There is no such field."
        problems = [MemberProblem(escape_name(name), "unknown-field", detail) for name in unknown]
        raise InvalidInput(errors=problems)
    serializer.is_valid(raise_exception=True)
    return serializer.validated_data


def _missing_choices(request: Request, duplicate_id: UUID, survivor_id: UUID) -> list[str]:
    """Returns what the survivor lacks; that both records are read for it is recorded."""
    duplicate, survivor = (
        open_patient(user_of(request), patient_id, channel=CHANNEL, action="compare")
        for patient_id in (duplicate_id, survivor_id)
    )
    return choices_missing_in(survivor, duplicate)
