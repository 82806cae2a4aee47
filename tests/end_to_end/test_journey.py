"""The whole loop, every process real: a registration becomes account, event and figure."""

from pathlib import Path

import pytest

from protos.billing.v1 import billing_service_pb2
from tests.end_to_end.system import ROOT, System
from tests.waits import wait_for

SYNTHEA = ROOT.parent / "shared" / "data" / "synthea"
ZELDA = {
    "familyName": "Journey",
    "givenName": "Zelda",
    "dateOfBirth": "1984-03-15",
    "sex": "female",
    "email": "zelda@mail.example",
    "region": "Massachusetts",
    "address": "1 High Street",
}


def test_the_topic_is_read_when_the_address_is_printed(system: System):
    assert system.first_readiness["ready"]


def test_a_registration_becomes_an_account_an_event_and_a_figure(system: System):
    before = wait_for(system.caught_up, seconds=120)
    with system.api() as api:
        answer = api.post("/api/patients", json=ZELDA)
        assert answer.status_code == 201
        place, patient = answer.headers["Location"], answer.json()
        assert patient["billing"]["status"] in {"pending", "active"}

        billing = wait_for(lambda: is_active(api.get(place).json()["billing"]))
        account = system.billing_account(patient["id"])
        assert (account.account_id, account.name) == (billing["accountId"], "Zelda Journey")
        assert account.status == billing_service_pb2.ACCOUNT_STATUS_ACTIVE

        api.patch(place, json={"city": "Leeds"}).raise_for_status()
        created, updated = wait_for(
            lambda: found if len(found := system.events_of(patient["id"])) == 2 else None
        )
        assert (created.event_type, created.name, created.version) == (
            "PATIENT_CREATED",
            "Zelda Journey",
            1,
        )
        assert (updated.event_type, list(updated.changed_fields)) == ("PATIENT_UPDATED", ["city"])

        api.delete(place).raise_for_status()
    after = wait_for(lambda: moved(system, before))
    assert after["active"] == before["active"]
    assert after["archived"] == before["archived"] + 1


@pytest.mark.parametrize("file", ["patients.csv", "Patient.ndjson"])
def test_200_people_are_imported_billed_and_counted(system: System, file: str):
    source: Path = SYNTHEA / file
    if not source.exists():
        pytest.skip(f"{file} of the Synthea sample is not beside this checkout")
    beside = {name: str(system.data / f"{file}.{name}.csv") for name in ("rejects", "changes")}
    done = system.command(
        "import_patients",
        str(source),
        *("--rejects", beside["rejects"]),
        *("--changes", beside["changes"]),
    )
    assert done.returncode == 0, done.stdout + done.stderr

    figures = wait_for(system.caught_up, seconds=120)
    assert figures["active"] >= 200
    with system.api() as api:
        found = api.get("/api/patients", params={"q": "abdul koepp"}).json()
    [patient] = found
    assert (patient["dateOfBirth"], patient["billing"]["status"]) == ("1956-08-03", "active")


def is_active(billing: dict) -> dict | None:
    return billing if billing["status"] == "active" else None


def moved(system: System, before: dict) -> dict | None:
    """Returns the totals, once the three events of the journey are counted."""
    totals = system.figures()["totals"]
    return totals if totals["events"] >= before["events"] + 3 else None
