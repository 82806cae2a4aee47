"""/api/patients: the JSON door. Rules live in services and selectors; here are shapes, headers and rights."""

from typing import Any
from uuid import UUID

from django.db import transaction
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.urls import replace_query_param
from rest_framework.views import APIView

from portal.accounts.models import User
from portal.accounts.rules import needs, user_of
from portal.errors import FieldProblem, InvalidInput, NotAllowed, StaleVersion
from portal.patients import selectors, services
from portal.patients.extensions import parts_for
from portal.patients.history.log import Change, history_of
from portal.patients.idempotency import first_answer
from portal.patients.models import Patient, Source, Status
from portal.patients.representation import as_sent, details_from, patient_json
from portal.patients.search.engine import Hit
from portal.patients.serializers import (
    ChangeJson,
    DuplicateProblem,
    FoundPatientJson,
    ListQuery,
    NewPatientBody,
    PatientBody,
    PatientJson,
)
from portal.patients.validation import clean_details

DOOR = Source.API
IF_MATCH = OpenApiParameter(
    "If-Match", str, "header", description="The ETag you read; 412 if it is stale"
)
KEY = OpenApiParameter(
    "Idempotency-Key", str, "header", description="The same key makes one patient, for 24 hours"
)


class Patients(APIView):
    permission_classes = (needs(GET="patients.view_patient", POST="patients.add_patient"),)
    serializer_class = NewPatientBody

    @extend_schema(
        parameters=[ListQuery], responses=FoundPatientJson(many=True), summary="Find patients"
    )
    def get(self, request: Request) -> Response:
        """An array: by name, or with `q` the best hits first. The Link header has the next page, if there is one."""
        query = _query(request)
        page = selectors.find_patients(
            user_of(request), channel=DOOR, text=query.get("q", ""), filters=_filters(query),
            after=query.get("cursor", ""), limit=query["limit"],
        )  # fmt: skip
        parts = parts_for([patient.pk for patient in page.patients])
        body = [
            patient_json(hit.patient, parts[hit.patient.pk]) | _matched_on(hit) for hit in page.hits
        ]
        return Response(body, headers=_next_link(request, page.next_cursor))

    @extend_schema(
        parameters=[KEY],
        request=NewPatientBody,
        responses={201: PatientJson, 409: DuplicateProblem},
        summary="Register a patient",
    )
    def post(self, request: Request) -> Response:
        """409 if the person is here already, unless `duplicateReason` says why this is another one."""
        body = dict(object_in(request))
        reason = str(body.pop("duplicateReason", "") or "").strip()
        user, key = user_of(request), _idempotency_key(request)
        with transaction.atomic():
            patient = services.register_patient(
                _clean(body),
                by=user,
                source=DOOR,
                idempotency_key=key,
                waits=False,
                duplicate_reason=reason[:500],
            )
            answer = first_answer(patient, key, by=user, answer=lambda: _json(patient))
        headers = {"ETag": f'"{answer["version"]}"', "Location": f"/api/patients/{patient.pk}"}
        return Response(answer, 201, headers=headers)

    def get_serializer(self, *args: Any, **kwargs: Any) -> NewPatientBody:
        """What the browsable API shows as a form."""
        return NewPatientBody(*args, **kwargs)


class OnePatient(APIView):
    permission_classes = (
        needs(
            GET="patients.view_patient",
            PUT="patients.change_patient",
            PATCH="patients.change_patient",
            DELETE="patients.archive_patient",
        ),
    )
    serializer_class = PatientBody

    @extend_schema(responses=PatientJson, summary="Read a patient")
    def get(self, request: Request, patient_id: UUID) -> Response:
        return answer_with(selectors.open_patient(user_of(request), patient_id, channel=DOOR))

    @extend_schema(
        parameters=[IF_MATCH],
        request=PatientBody,
        responses=PatientJson,
        summary="Change a patient",
    )
    def put(self, request: Request, patient_id: UUID) -> Response:
        """Fields that are left out keep their value: older clients know five of them. Send "" or null to empty one."""
        return self._change(request, patient_id)

    @extend_schema(
        parameters=[IF_MATCH],
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
        services.archive_patient(
            patient_id, by=user_of(request), source=DOOR, expected_version=version
        )
        return Response(status=204)

    def get_serializer(self, *args: Any, **kwargs: Any) -> PatientBody:
        """What the browsable API shows as a form."""
        return PatientBody(*args, **kwargs)

    def _change(self, request: Request, patient_id: UUID) -> Response:
        user, body, version = user_of(request), dict(object_in(request)), expected_version(request)
        current = _json(selectors.open_patient(user, patient_id, channel=DOOR))
        if body.get("status") == current["status"]:
            del body["status"]
        status = body.pop("status", None)
        details = _clean(body, current=current)
        with transaction.atomic():  # Both or neither.
            if status is not None:
                _set_status(status, patient_id, user, version)
                version = None
            services.change_patient(
                patient_id, details, by=user, source=DOOR, expected_version=version
            )
        return answer_with(
            selectors.patients_visible_to(user).prefetch_related("identifiers").get(pk=patient_id)
        )


class History(APIView):
    permission_classes = (needs("patients.view_history"),)

    @extend_schema(responses=ChangeJson(many=True), summary="What happened to a patient")
    def get(self, request: Request, patient_id: UUID) -> Response:
        """The log, newest first, field by field."""
        changes = history_of(user_of(request), patient_id, channel=DOOR)
        return Response([_change_json(change) for change in changes])


def _matched_on(hit: Hit) -> dict[str, str]:
    return {"matchedOn": hit.reason} if hit.reason else {}


def object_in(request: Request) -> dict[str, Any]:
    """The body, which has to be an object."""
    if not isinstance(request.data, dict):
        raise InvalidInput("Send a JSON object.")
    return request.data


def _clean(body: dict[str, Any], *, current: dict[str, Any] | None = None) -> dict[str, Any]:
    """Cleaned details; every problem of names and values in one answer."""
    raw, problems = details_from(body, current=current)
    try:
        details = clean_details(raw, partial=current is not None)
    except InvalidInput as error:
        raise InvalidInput(
            errors=[*problems, *(as_sent(one, body) for one in error.errors)]
        ) from error
    if problems:
        raise InvalidInput(errors=problems)
    return details


def _set_status(status: Any, patient_id: UUID, user: User, version: int | None) -> None:
    if not user.has_perm("patients.archive_patient"):
        raise NotAllowed("Ask an operator for the right to archive and restore patients.")
    change = {
        Status.ACTIVE: services.restore_patient,
        Status.ARCHIVED: services.archive_patient,
    }.get(status)
    if change is None:
        raise InvalidInput(
            errors=[FieldProblem("status", "not-a-choice", "Choose one of active, archived.")]
        )
    change(patient_id, by=user, source=DOOR, expected_version=version)


def _query(request: Request) -> dict[str, Any]:
    known = [*ListQuery().fields, "format"]
    unknown = [name for name in request.query_params if name not in known]
    if unknown:
        words = f"There is no such filter. Known are {', '.join(known)}."
        raise InvalidInput(errors=[FieldProblem(name, "unknown-field", words) for name in unknown])
    query = ListQuery(data=request.query_params)
    query.is_valid(raise_exception=True)
    return query.validated_data


def _filters(query: dict[str, Any]) -> selectors.PatientFilters:
    return selectors.PatientFilters(
        date_of_birth=query.get("dateOfBirth"),
        sex=query.get("sex", ""),
        status=query.get("status", Status.ACTIVE),
        registered_from=query.get("registeredFrom"),
        registered_to=query.get("registeredTo"),
        identifier=query.get("identifier", ""),
    )


def _next_link(request: Request, cursor: str) -> dict[str, str]:
    if not cursor:
        return {}
    address = replace_query_param(request.build_absolute_uri(), "cursor", cursor)
    return {"Link": f'<{address}>; rel="next"'}


def _idempotency_key(request: Request) -> str:
    key = request.headers.get("Idempotency-Key", "").strip()
    if len(key) > 255:
        raise InvalidInput("Use an Idempotency-Key of at most 255 characters.")
    return key


def expected_version(request: Request) -> int | None:
    """The version that If-Match names; none for no header or `*`. A weak or foreign tag matches nothing (RFC 9110)."""
    tag = request.headers.get("If-Match", "").strip()
    if tag in {"", "*"}:
        return None
    if not (tag.startswith('"') and tag.endswith('"') and tag[1:-1].isdigit()):
        raise StaleVersion('Send If-Match as the ETag that you read, such as "3".')
    return int(tag[1:-1])


def _json(patient: Patient) -> dict[str, Any]:
    return patient_json(patient, parts_for([patient.pk])[patient.pk])


def answer_with(patient: Patient, **more: Any) -> Response:
    """The patient and whatever else is told, with the version as ETag."""
    return Response({**_json(patient), **more}, headers={"ETag": f'"{patient.version}"'})


def _change_json(change: Change) -> dict[str, Any]:
    fields = [
        {"field": name.removesuffix("_id"), "old": old, "new": new}
        for name, old, new in change.fields
    ]
    return {
        "eventId": change.event_id, "version": change.version, "at": change.at, "kind": change.kind,
        "by": change.actor, "source": change.source, "changes": fields,
    }  # fmt: skip
