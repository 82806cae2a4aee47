"""What the REST API promises holds for drawn bodies: see docs/testing.md.

`make fuzz` draws 20,000 new ones; the ordinary tests draw a few hundred, always the same.
"""

import json
import os
import time
from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from hypothesis import HealthCheck, given, seed, settings
from rest_framework.test import APIClient
from rest_framework_simplejwt.tokens import AccessToken

from portal.accounts.models import User
from tests.fuzz.api_bodies import MARK, MERGED, OTHER, PATIENT, DrawnRequest, requests

RUNS = int(os.environ.get("FUZZ_RUNS") or 0)  # 0 for the ordinary tests.
SEED = int(os.environ.get("FUZZ_SEED") or (time.time() if RUNS else 1))
FEW = 300
CPU_SECONDS = 3.0  # That one answer may cost; none takes a tenth of it on an idle machine.
WRITTEN = """
SELECT (SELECT (count(*), sum(version)) FROM patients_patient)::text,
       (SELECT max(pgh_id) FROM patients_patientevent),
       (SELECT count(*) FROM patients_patientidentifier),
       (SELECT count(*) FROM patients_idempotencykey),
       (SELECT count(*) FROM patients_eventoutbox)
"""
REGISTER = "POST /api/patients"
# Routes that take some bodies. Nobody draws a password or a token, and the patient is not merged.
TAKEN = {
    "POST /api/patients",
    "PUT /api/patients/{patient}",
    "PATCH /api/patients/{patient}",
    "POST /api/patients/{patient}/merge",
    "POST /api/patients/{merged}/unmerge",
}
# Codes of what is missing: nothing of it was sent that an answer could point at.
MISSING = {"required"}

pytestmark = pytest.mark.django_db(transaction=bool(RUNS))


@pytest.fixture
def api(db):
    """A client who may do all, and who gets the answer 500 instead of the exception."""
    user = User.objects.create_superuser("root@clinic.example", "correct-horse-battery")
    api = APIClient(raise_request_exception=False)
    token = AccessToken.for_user(user)
    token.set_exp(lifetime=timedelta(days=1))  # A long run outlasts the usual 15 minutes.
    api.credentials(HTTP_AUTHORIZATION=f"Bearer {token}")
    return api


@pytest.fixture
def ids(api) -> dict[str, str]:
    """Three patients on record, by what stands for them in a drawn request."""
    person = {"familyName": "Sample", "givenName": "Ada", "dateOfBirth": "1984-03-04"}
    first = api.post("/api/patients", person, format="json")
    more = {"city": "Leeds", "duplicateReason": "twins"}
    second = api.post("/api/patients", {**person, **more}, format="json")
    third = api.post("/api/patients", {**person, **more}, format="json")
    ids = {PATIENT: first.json()["id"], OTHER: second.json()["id"], MERGED: third.json()["id"]}
    merge = {"into": ids[PATIENT], "reason": "same passport"}
    assert api.post(f"/api/patients/{ids[MERGED]}/merge", merge, format="json").status_code == 200
    return ids


@pytest.mark.timeout(12 * 3600)
def test_no_drawn_body_breaks_what_the_api_promises(api, ids, capsys):
    faults: dict[str, str] = {}
    outcomes: Counter[tuple[str, str]] = Counter()

    @seed(SEED)
    @settings(
        max_examples=RUNS or FEW,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        print_blob=False,
    )
    @given(requests())
    def run(request: DrawnRequest) -> None:
        try:
            with transaction.atomic():
                outcomes[request.route, send_checked(api, request, ids)] += 1
                transaction.set_rollback(True)
        except AssertionError as fault:
            if not RUNS:
                raise
            outcomes[request.route, "faults"] += 1
            kind = str(fault).partition("\n")[0][:90]
            if kind not in faults:
                faults[kind] = f"{fault}\n{request}"[:1500]
                say(capsys, faults[kind])
        if RUNS and sum(outcomes.values()) % 1_000 == 0:
            say(capsys, f"FUZZ_SEED={SEED}: {dict(sum_up(outcomes))}")
            with connection.cursor() as cursor:
                cursor.execute("VACUUM")

    try:
        run()
    finally:  # Also after Ctrl-C.
        if RUNS:
            say(capsys, f"{outcomes.total()} bodies, FUZZ_SEED={SEED}: {dict(outcomes)}")
    assert not faults, f"FUZZ_SEED={SEED}\n\n" + "\n\n".join(faults.values())
    sent = sum(count for (route, _status), count in outcomes.items() if route == REGISTER)
    assert outcomes[REGISTER, "201"] >= sent / 3, outcomes
    assert {route for route, status in outcomes if status in {"200", "201"}} == TAKEN, outcomes


def sum_up(outcomes: Counter[tuple[str, str]]) -> Counter[str]:
    """Returns how often each status came, whatever the route."""
    statuses: Counter[str] = Counter()
    for (_route, status), count in outcomes.items():
        statuses[status] += count
    return statuses


def say(capsys: pytest.CaptureFixture[str], text: str) -> None:
    """Prints at once what a long run has found."""
    with capsys.disabled():
        print(f"\n{text}", flush=True)


def send_checked(api, request: DrawnRequest, ids: dict[str, str]) -> str:
    """Sends the request, checks the answer, and returns its status."""
    route, body = request.route, request.body
    for stand_in, patient_id in ids.items():
        route = route.replace(stand_in, patient_id)
        body = body.replace(stand_in.encode(), patient_id.encode())
    method, address = route.split(" ")
    before, began = written(), time.process_time()
    answer = api.generic(method, address, body, **request.headers)
    spent = time.process_time() - began
    assert spent < CPU_SECONDS, f"slow: {spent:.1f} s"
    assert answer.status_code < 500, f"{answer.status_code}: {answer.content[:300]!r}"
    assert answer.status_code != 401 or address.startswith("/auth/"), "the token has ended"
    if answer.status_code >= 400:
        check_problem(answer, body)
        assert written() == before, f"half-written: {answer.status_code}"
    elif address.startswith("/api/"):
        check_patient(api, answer)
    return str(answer.status_code)


def written() -> tuple[Any, ...]:
    """Returns what changes with every write of a patient."""
    with connection.cursor() as cursor:
        cursor.execute(WRITTEN)
        return cursor.fetchone()


def check_problem(answer, body: bytes) -> None:
    """The answer is a problem of RFC 9457, and points at what was sent without repeating it."""
    assert answer["Content-Type"] == "application/problem+json", answer["Content-Type"]
    problem = json.loads(answer.content)
    assert problem["status"] == answer.status_code
    assert {"type", "title", "detail", "requestId"} <= problem.keys()
    texts = [problem["detail"], *(error["detail"] for error in problem.get("errors", ()))]
    assert not any(MARK in text for text in texts), "a value is repeated"
    for error in problem.get("errors", ()):  # Only of a body that could be read.
        is_there = points_into(json.loads(body or b"{}"), error["pointer"])
        assert is_there or error["code"] in MISSING, f"points at nothing: {error}"


def points_into(value: Any, pointer: str) -> bool:
    """Returns whether a JSON pointer finds something; names may be shortened, and lack halves."""
    assert pointer.startswith("#/"), pointer
    rest = pointer[2:]
    for part in rest.split("/"):
        if isinstance(value, list) and part.isdigit() and int(part) < len(value):
            value = value[int(part)]
        elif isinstance(value, dict) and (names := [n for n in value if shown(n) == part]):
            value = value[names[0]]
        else:
            long = isinstance(value, dict) and any(
                shown(n)[:80].startswith(part[:80]) for n in value
            )
            return long and len(rest) >= 100
    return True


def shown(name: str) -> str:
    """Returns the name of a member as a pointer has it."""
    return name.replace("~", "~0").replace("/", "~1").encode(errors="replace").decode()


def check_patient(api, answer) -> None:
    """What was answered is what is stored, and can be sent back without a change."""
    patient = json.loads(answer.content)
    address = f"/api/patients/{patient['id']}"
    read = api.get(address)
    assert read.status_code == 200
    left = patient.pop("left", None)
    assert read.json() == patient, left
    if patient["status"] != "merged":
        again = api.put(address, patient, format="json")
        assert (again.status_code, again.json()) == (200, patient), "not taken back"
