"""/api/patients: headers and rights; shapes are in serializers, rules in services and selectors."""

import json
from contextlib import nullcontext
from typing import Any
from uuid import UUID

from django.db import transaction
from django.http import HttpRequest, HttpResponse
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from portal.accounts.models import User
from portal.accounts.rules import needs, user_of
from portal.errors import FieldProblem, InvalidInput, NotAllowed, StaleVersion
from portal.json_bodies import json_object
from portal.pagination import next_link, row_id
from portal.patients import json_reads, selectors, services
from portal.patients.history.log import read_history
from portal.patients.idempotency import keep_answer
from portal.patients.json_reads import Row
from portal.patients.json_writes import Headers, JsonWrites
from portal.patients.models import Source, Status
from portal.patients.serializers.answers import ChangeJson, DuplicateProblem
from portal.patients.serializers.bodies import (
    NewPatientBody,
    PatientBody,
    pointing_at,
)
from portal.patients.serializers.patient import (
    FoundPatientJson,
    PatientJson,
    found_patients_json,
)
from portal.patients.serializers.query import ListQuery

CHANNEL = Source.API
AnyRequest = HttpRequest | Request  # What only the headers are read of.
LONGEST_KEY = 255  # Characters of an Idempotency-Key.
IF_MATCH = OpenApiParameter(
    "If-Match", str, "header", description="The ETag you read; 412 if it is stale"
)
KEY = OpenApiParameter(
    "Idempotency-Key",
    {"type": "string", "maxLength": LONGEST_KEY},
    "header",
    description="The same key makes one patient, for 24 hours",
)
ETAG = OpenApiParameter(
    "ETag", str, "header", description="The version", response=[200, 201], required=True
)
LOCATION = OpenApiParameter(
    "Location", str, "header", description="The new patient", response=[201], required=True
)
LINK = OpenApiParameter(
    "Link", str, "header", description="The next page, if there is one", response=[200]
)


class Patients(JsonWrites):
    rights = {"GET": "patients.view_patient", "POST": "patients.add_patient"}
    permission_classes = (needs(**rights),)
    write_status = 201
    serializer_class = NewPatientBody

    @extend_schema(
        parameters=[ListQuery, LINK],
        responses=FoundPatientJson(many=True),
        summary="Find patients",
    )
    def get(self, request: Request) -> Response:
        """An array: by name, or with `q` the best hits first.

        The Link header has the next page, if there is one.
        """
        query = ListQuery(data=request.query_params)
        query.is_valid(raise_exception=True)
        asked = query.validated_data
        found = selectors.find_patients(
            user_of(request),
            channel=CHANNEL,
            text=asked.get("q", ""),
            filters=selectors.PatientFilters(**asked.get("filters", {})),
            after=asked.get("cursor", ""),
            limit=asked["limit"],
        )
        return Response(
            found_patients_json(found.hits), headers=next_link(request, found.next_cursor)
        )

    @extend_schema(
        parameters=[KEY, LOCATION, ETAG],
        request=NewPatientBody,
        responses={201: PatientJson, 409: DuplicateProblem},
        summary="Register a patient",
    )
    def post(self, request: Request) -> Response:
        """409 if the person is here already.

        `duplicateReason` says why this is another one.
        """
        text, headers = self.write_json(user_of(request), request, json_object(request))
        return Response(json.loads(text), self.write_status, headers=headers)

    def write_json(
        self, user: User, request: AnyRequest, members: dict[str, Any]
    ) -> tuple[str, Headers]:
        body = NewPatientBody(data=members)
        body.is_valid(raise_exception=True)
        details = body.validated_data
        reason = details.pop("duplicate_reason")
        key = _idempotency_key(request)
        with pointing_at(members):
            patient_id, version, text = _register(user, details, key=key, reason=reason)
        location = f"/api/patients/{patient_id}"
        return text, {"ETag": f'"{version}"', "Location": location}

    def read_json(self, user: User, request: HttpRequest) -> HttpResponse | None:
        query = ListQuery(data=request.GET)
        if not query.is_valid():
            return None
        asked = query.validated_data
        array, next_cursor = json_reads.find_patients(
            user,
            channel=CHANNEL,
            text=asked.get("q", ""),
            filters=selectors.PatientFilters(**asked.get("filters", {})),
            after=asked.get("cursor", ""),
            limit=asked["limit"],
        )
        return json_reads.json_answer(array, **next_link(request, next_cursor))

    def get_serializer(self, *args: Any, **kwargs: Any) -> NewPatientBody:
        """What the browsable API shows as a form."""
        return NewPatientBody(*args, **kwargs)


class OnePatient(JsonWrites):
    rights = {
        "GET": "patients.view_patient",
        "PUT": "patients.change_patient",
        "PATCH": "patients.change_patient",
        "DELETE": "patients.archive_patient",
    }
    permission_classes = (needs(**rights),)
    serializer_class = PatientBody

    @extend_schema(parameters=[ETAG], responses=PatientJson, summary="Read a patient")
    def get(self, request: Request, patient_id: UUID) -> Response:
        patient = selectors.open_patient(user_of(request), patient_id, channel=CHANNEL)
        return patient_response(patient.pk)

    def read_json(self, user: User, _request: HttpRequest, patient_id: UUID) -> HttpResponse | None:
        row = json_reads.read_patient(user, patient_id, channel=CHANNEL)
        if row is None:
            return None
        _id, version, text = row
        return json_reads.json_answer(text, ETag=f'"{version}"')

    @extend_schema(
        parameters=[IF_MATCH, ETAG],
        request=PatientBody,
        responses=PatientJson,
        summary="Change a patient",
    )
    def put(self, request: Request, patient_id: UUID) -> Response:
        """Fields that are left out keep their value: older clients know five of them.

        Send "" or null to empty one.
        """
        return self._change(request, patient_id)

    @extend_schema(
        parameters=[IF_MATCH, ETAG],
        request=PatientBody,
        responses=PatientJson,
        summary="Change some fields",
    )
    def patch(self, request: Request, patient_id: UUID) -> Response:
        """As PUT; `{"status": "active"}` restores an archived patient."""
        return self._change(request, patient_id)

    @extend_schema(parameters=[IF_MATCH], responses={204: None}, summary="Archive a patient")
    def delete(self, request: Request, patient_id: UUID) -> Response:
        """Takes the patient off the lists; nothing is erased, and PATCH restores."""
        version = expected_version(request)
        with pointing_at({}):
            services.archive_patient(
                patient_id, by=user_of(request), source=CHANNEL, expected_version=version
            )
        return Response(status=204)

    def get_serializer(self, *args: Any, **kwargs: Any) -> PatientBody:
        """What the browsable API shows as a form."""
        return PatientBody(*args, **kwargs)

    def _change(self, request: Request, patient_id: UUID) -> Response:
        user, members = user_of(request), json_object(request)
        text, headers = self.write_json(user, request, members, patient_id)
        return Response(json.loads(text), headers=headers)

    def write_json(
        self, user: User, request: AnyRequest, members: dict[str, Any], patient_id: UUID
    ) -> tuple[str, Headers]:
        members, version = dict(members), expected_version(request)
        selectors.patients_visible_to(user)  # Or NotAllowed.
        read = json_reads.read_to_change(user, patient_id, channel=CHANNEL)
        if read is None:
            raise selectors.no_such_patient(patient_id)
        patient, answered = read
        stored = json.loads(answered)
        status = members.pop("status", stored["status"])
        body = PatientBody(patient, data=members, partial=True, context={"stored": stored})
        body.is_valid(raise_exception=True)
        has_new_status = status != stored["status"]
        if not has_new_status:
            with pointing_at(members):
                row = services.change_at_once(
                    patient, body.validated_data, by=user, source=CHANNEL, expected_version=version
                )
            if row:
                patient_id, version, text = json_reads.with_text(row)
                return text, {"ETag": f'"{version}"'}
        # The status and the details, or neither.
        with pointing_at(members), transaction.atomic() if has_new_status else nullcontext():
            if has_new_status:
                _set_status(status, patient_id, user, version)
                version = None
            services.change_patient(
                patient_id, body.validated_data, by=user, source=CHANNEL, expected_version=version
            )
        _, version, text = json_reads.json_of(patient_id)
        return text, {"ETag": f'"{version}"'}


class History(APIView):
    permission_classes = (needs("patients.view_history"),)

    @extend_schema(responses=ChangeJson(many=True), summary="What happened to a patient")
    def get(self, request: Request, patient_id: UUID) -> Response:
        """The log, newest first, field by field."""
        changes = read_history(user_of(request), patient_id, channel=CHANNEL)
        return Response(ChangeJson(changes, many=True).data)


def _register(user: User, details: dict[str, Any], *, key: str, reason: str) -> Row:
    if not key and not reason:
        row = services.register_at_once(details, by=user, source=CHANNEL)
        if row:
            return json_reads.with_text(row)
    # A key keeps its answer in the transaction of the registration.
    with transaction.atomic() if key else nullcontext():
        patient = services.register_patient(
            details,
            by=user,
            source=CHANNEL,
            idempotency_key=key,
            waits=False,
            override_reason=reason,
        )
        if not key:
            return json_reads.json_of(patient.pk)
        answer = keep_answer(patient, key, by=user, answer=lambda: _members_of(patient.pk))
        return patient.pk, answer["version"], json.dumps(answer)


def _members_of(patient_id: UUID) -> dict[str, Any]:
    members: dict[str, Any] = json.loads(json_reads.json_of(patient_id)[2])
    return members


def _set_status(status: Any, patient_id: UUID, user: User, version: int | None) -> None:
    if not user.has_perm("patients.archive_patient"):
        raise NotAllowed("Ask an operator for the right to archive and restore patients.")
    if status == Status.ACTIVE:
        change = services.restore_patient
    elif status == Status.ARCHIVED:
        change = services.archive_patient
    else:
        message = "Choose one of active, archived."
        raise InvalidInput(errors=[FieldProblem("status", "not-a-choice", message)])
    change(patient_id, by=user, source=CHANNEL, expected_version=version)


def _idempotency_key(request: AnyRequest) -> str:
    key = request.headers.get("Idempotency-Key", "").strip()
    if len(key) > LONGEST_KEY:
        raise InvalidInput(f"Use an Idempotency-Key of at most {LONGEST_KEY} characters.")
    return key


def expected_version(request: AnyRequest) -> int | None:
    """Returns the version that If-Match names, None for no header or `*`.

    A weak or foreign tag matches nothing (RFC 9110, section 13.1.1): StaleVersion.
    """
    tag = request.headers.get("If-Match", "").strip()
    if tag in {"", "*"}:
        return None
    try:
        if len(tag) > 1 and tag.startswith('"') and tag.endswith('"'):
            return row_id(tag[1:-1])
    except ValueError:
        pass  # Digits of another script, or too many of them.
    raise StaleVersion('Send If-Match as the ETag that you read, such as "3".')


def patient_response(patient_id: UUID, **members: Any) -> Response:
    """Returns the answer with the patient and more members, and with the version as ETag."""
    stored = _members_of(patient_id)
    return Response({**stored, **members}, headers={"ETag": f'"{stored["version"]}"'})
