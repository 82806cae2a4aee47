"""50 clients register the same person at once: one patient, one event, one account."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import httpx
import pytest

from tests.end_to_end.system import System
from tests.waits import wait_for

CLIENTS = 50


@pytest.mark.parametrize(
    ("family_name", "headers"),
    [("Race", {}), ("Keyed", {"Idempotency-Key": "one-for-all"})],
    ids=["without a key", "with one key"],
)
def test_50_posts_of_one_person_make_one_patient(
    system: System, family_name: str, headers: dict[str, str]
):
    person = {"familyName": family_name, "givenName": system.data.name, "dateOfBirth": "1990-01-31"}
    ready = Barrier(CLIENTS)

    def post(api: httpx.Client) -> httpx.Response:
        ready.wait(60)
        return api.post("/api/patients", json=person, headers=headers)

    with system.api() as api, ThreadPoolExecutor(CLIENTS) as pool:
        answers = list(pool.map(post, [api] * CLIENTS))
        made = {answer.json()["id"] for answer in answers if answer.status_code == 201}
        assert {answer.status_code for answer in answers} == {201, 409}, [
            answer.text for answer in answers
        ]
        assert len(made) == 1
        assert all(
            names_the_patient(answer, made) for answer in answers if answer.status_code == 409
        )

        found = api.get("/api/patients", params={"q": f"{family_name} {system.data.name}"}).json()
        assert [patient["id"] for patient in found] == list(made)
        wait_for(
            lambda: (
                api.get(f"/api/patients/{found[0]['id']}").json()["billing"]["status"] == "active"
            )
        )
    assert wait_for(lambda: [event.version for event in system.events_of(found[0]["id"])]) == [1]


def names_the_patient(answer: httpx.Response, made: set[str]) -> bool:
    """Tells whether a 409 is for a request under way, or names the patient."""
    problem = answer.json()
    return problem["type"].endswith("in-flight") or set(problem["patientIds"]) == made
