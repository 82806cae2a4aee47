"""P4 on one machine: whatever of `make run` is killed with -9, it comes back by itself and everything goes on."""

import uuid
from contextlib import suppress

import httpx
import pytest

from tests.end_to_end.system import System, running
from tests.run_processes import find_processes
from tests.waits import wait_for

SECONDS = 120  # Ten are usual; a busy machine takes longer.
# Words of the command line; of several processes the first is their parent.
SERVERS = {"PostgreSQL": "bin/postgres", "Valkey": "valkey-server", "the broker": "embedded.broker"}
PROCESSES = (
    "portal.wsgi",
    "manage.py relay",
    "portal worker",
    "billing_grpc serve",
    "analytics_stream worker",
)


@pytest.fixture(scope="module")
def system(tmp_path_factory):
    with running(tmp_path_factory.mktemp("kills"), kafka="embedded") as system:
        yield system


@pytest.fixture(scope="module")
def api(system):
    with system.api() as api:
        yield api


@pytest.mark.parametrize("words", SERVERS.values(), ids=SERVERS)
def test_a_killed_server_comes_back_and_all_who_need_it_find_it(system, api, words):
    """Red without a keeper, and when the broker comes back at another address."""
    find_processes(system.data / "run", words)[0].kill()
    goes_on(system, api)


def test_a_killed_web_worker_is_replaced(system, api):
    find_processes(system.data / "run", "portal.wsgi")[-1].kill()
    goes_on(system, api)


def test_all_processes_killed_together_come_back(system, api):
    for words in PROCESSES:
        find_processes(system.data / "run", words)[0].kill()
    goes_on(system, api)


def test_afterwards_nothing_is_lost_and_nothing_is_there_twice(system):
    wait_for(lambda: system.command("reconcile").returncode == 0, seconds=SECONDS)


def goes_on(system: System, api: httpx.Client) -> None:
    """A new patient is taken, gets an account and is counted."""
    patient = {
        "familyName": "Survivor",
        "givenName": uuid.uuid4().hex,
        "dateOfBirth": "1984-03-15",
        "sex": "female",
    }
    patient_id = wait_for(lambda: registered(api, patient), seconds=SECONDS)
    wait_for(lambda: has_account(api, patient_id), seconds=SECONDS)
    wait_for(lambda: is_counted(system, patient_id), seconds=SECONDS)


def registered(api: httpx.Client, patient: dict) -> str | None:
    """Its id. Asked again with the same key it is the same patient."""
    with suppress(httpx.TransportError):
        answer = api.post(
            "/api/patients", json=patient, headers={"Idempotency-Key": patient["givenName"]}
        )
        return answer.json()["id"] if answer.status_code == 201 else None
    return None


def has_account(api: httpx.Client, patient_id: str) -> bool:
    with suppress(httpx.TransportError):
        answer = api.get(f"/api/patients/{patient_id}")
        return answer.status_code == 200 and answer.json()["billing"]["status"] == "active"
    return False


def is_counted(system: System, patient_id: str) -> bool:
    stream = f"http://127.0.0.1:{system.ports['ANALYTICS_PORT']}/states"
    with suppress(httpx.TransportError):
        answer = httpx.post(stream, json={"patients": [patient_id]}, timeout=10, trust_env=False)
        return f"{patient_id},1," in answer.text
    return False
