"""P4 on a single machine: each process of `make run` comes back by itself after kill -9."""

import time
import uuid
from contextlib import suppress

import httpx
import pytest

from tests.end_to_end.system import System, running
from tests.run_processes import find_processes
from tests.waits import wait_for

SECONDS = 120  # to come back; ten are usual, a busy machine takes longer
# Words of the command line. The first process that has them is the parent of the others.
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
def test_a_killed_server_comes_back_at_its_address(system, api, words):
    """Fails without a supervisor, or if the broker comes back at another address."""
    find_processes(system.data / "run", words)[0].kill()
    assert_it_works(system, api)


def test_a_killed_web_worker_is_replaced(system, api):
    find_processes(system.data / "run", "portal.wsgi")[-1].kill()
    assert_it_works(system, api)


def test_the_scheduler_of_a_killed_worker_comes_back(system):
    before = find_processes(system.data / "run", "portal worker")[0]
    before.kill()
    new = wait_for(
        lambda: set(find_processes(system.data / "run", "portal worker")) - {before},
        seconds=SECONDS,
    )
    began = next(iter(new)).create_time()
    wait_for(lambda: time.time() - beat_age_seconds(system) > began, seconds=SECONDS)


def test_all_processes_killed_together_come_back(system, api):
    for words in PROCESSES:
        find_processes(system.data / "run", words)[0].kill()
    assert_it_works(system, api)


def test_afterwards_nothing_is_lost_and_nothing_is_there_twice(system):
    wait_for(lambda: system.command("reconcile").returncode == 0, seconds=SECONDS)


def assert_it_works(system: System, api: httpx.Client) -> None:
    """Registers a patient, who gets an account and is counted."""
    patient = {
        "familyName": "Survivor",
        "givenName": uuid.uuid4().hex,
        "dateOfBirth": "1984-03-15",
        "sex": "female",
    }
    patient_id = wait_for(lambda: register(api, patient), seconds=SECONDS)
    wait_for(lambda: has_account(api, patient_id), seconds=SECONDS)
    wait_for(lambda: is_counted(system, patient_id), seconds=SECONDS)


def register(api: httpx.Client, patient: dict) -> str | None:
    """Returns the id, or None. The key makes a repeated call safe."""
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


def beat_age_seconds(system: System) -> float:
    ready = f"http://127.0.0.1:{system.ports['PORTAL_INTERNAL_PORT']}/health/ready"
    checks = httpx.get(ready, timeout=10, trust_env=False).json()["checks"]
    [check] = [check for check in checks if check["name"] == "scheduler"]
    return check["beatAgeSeconds"]


def is_counted(system: System, patient_id: str) -> bool:
    stream = f"http://127.0.0.1:{system.ports['ANALYTICS_PORT']}/states"
    with suppress(httpx.TransportError):
        answer = httpx.post(stream, json={"patients": [patient_id]}, timeout=10, trust_env=False)
        return f"{patient_id},1," in answer.text
    return False
