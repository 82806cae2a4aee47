"""Lists, searches, API pages and exports, read while others write at the same moments.

The writers are threads with connections of their own, so that their transactions are open, commit
and fall back anywhere between the statements of a reader.
"""

import random
import threading
import time
from collections import Counter
from contextlib import suppress

import pytest
from django.db import OperationalError, connection, transaction

from portal.duplicates.merge import merge_patient, unmerge_patient
from portal.errors import PortalError
from portal.imports.export import csv_lines
from portal.patients.models import Patient, Source
from portal.patients.selectors import PatientFilters, every_patient, find_patients
from portal.patients.services import (
    archive_patient,
    change_patient,
    register_patients,
    restore_patient,
)

pytestmark = pytest.mark.django_db(transaction=True)
BY = {"by": None, "source": Source.COMMAND}
FAMILY_NAMES = ["Aaberg", "Lind", "Linde", "Lindgren", "Lindqvist", "Zorn"]
GIVEN_NAMES = ["Ann", "Lin", "Linnea", "Zoe"]
TEXTS = ["", "", "lin", "lind", "ann lindgren", "zorn"]
WRITERS, ROUNDS, LONGEST_SECONDS = 3, 40, 12
EXCHANGERS = 6  # Patients who exchange their cities and change nothing else.


def details_of(dice: random.Random, **more) -> dict:
    names = {"family_name": dice.choice(FAMILY_NAMES), "given_name": dice.choice(GIVEN_NAMES)}
    return {**names, "sex": "female", **more}


@pytest.fixture
def people():
    dice = random.Random(7)
    return register_patients(
        [
            details_of(
                dice,
                city=f"City{number}",
                identifiers=[{"system": "insurance", "value": f"I9{number:04}"}],
            )
            for number in range(90)
        ],
        **BY,
    )


class Writer(threading.Thread):
    """Changes random patients until it is stopped."""

    def __init__(self, seed: int, people) -> None:
        super().__init__(daemon=True)
        self.dice, self.stopping, self.changes = random.Random(seed), threading.Event(), 0
        self.exchangers = [patient.pk for patient in people[:EXCHANGERS]]
        self.restless = [patient.pk for patient in people[EXCHANGERS : len(people) // 2]]
        self.fault = None

    def run(self) -> None:
        try:
            while not self.stopping.is_set():
                with suppress(PortalError, OperationalError):  # Refused, or a deadlock's victim.
                    self.change_something()
                    self.changes += 1
                time.sleep(self.dice.choice([0, 0.005, 0.02]))
        except Exception as error:
            self.fault = error
        finally:
            connection.close()

    def change_something(self) -> None:
        if self.dice.random() < 0.5:
            self.change_one()
            return
        with transaction.atomic():  # Open for a while, with a change at its begin and its end.
            self.change_one()
            time.sleep(self.dice.choice([0, 0.01, 0.05]))
            self.change_one()

    def change_one(self) -> None:
        dice, (first, second) = self.dice, self.dice.sample(self.restless, 2)
        match dice.randrange(10):
            case 0:
                archive_patient(first, **BY)
            case 1:
                restore_patient(first, **BY)
            case 2:
                merge_patient(first, into=second, reason="One person.", **BY)
            case 3:
                merged = Patient.objects.filter(status="merged").values_list("pk", flat=True)
                if merged:
                    unmerge_patient(dice.choice(list(merged)), **BY)
            case 4:
                register_patients([details_of(dice)], **BY)
            case 5:
                self.exchange_cities()
            case _:
                change_patient(first, details_of(dice), **BY)

    def exchange_cities(self) -> None:
        first, second = sorted(self.dice.sample(self.exchangers, 2))
        with transaction.atomic():
            locked = Patient.objects.select_for_update().order_by("pk")
            cities = [patient.city for patient in locked.filter(pk__in=[first, second])]
            change_patient(first, {"city": cities[1]}, **BY)
            change_patient(second, {"city": cities[0]}, **BY)


@pytest.fixture
def writers(people):
    writers = [Writer(seed, people) for seed in range(WRITERS)]
    for writer in writers:
        writer.start()
    yield writers
    for writer in writers:
        writer.stopping.set()
    for writer in writers:
        writer.join(timeout=20)
    assert not any(writer.is_alive() for writer in writers)


def pages_of_list(text: str, dice: random.Random) -> list:
    seen, cursor = [], ""
    while not seen or cursor:
        page = find_patients(
            None, channel="command", text=text, after=cursor, limit=dice.randint(2, 9)
        )
        seen += [hit.patient.pk for hit in page.hits if not hit.is_approximate]
        cursor = page.next_cursor
        if not page.hits:
            break
    return seen


def pages_of_api(api, text: str, dice: random.Random) -> list:
    seen, address = [], f"/api/patients?q={text}&limit={dice.randint(2, 9)}"
    while address:
        answer = api.get(address)
        assert answer.status_code == 200
        seen += [patient["id"] for patient in answer.json()]
        address = answer.headers.get("Link", "").partition(">")[0].lstrip("<")
    assert len(seen) == len(set(seen)), text  # Approximate hits come once, too.
    return list(Patient.objects.filter(pk__in=seen).values_list("pk", flat=True))


def found_now(text: str) -> list[Patient]:
    hits = find_patients(None, channel="command", text=text, limit=200).hits
    return [hit.patient for hit in hits if not hit.is_approximate]


def check_walk(read, text: str) -> None:
    """Reads a list; who did not change meanwhile comes once, and nobody comes twice."""
    before = {patient.pk: patient.version for patient in found_now(text)}
    seen = read()
    after = {patient.pk: patient.version for patient in found_now(text)}
    repeated = [patient for patient, times in Counter(seen).items() if times > 1]
    steady = {patient for patient in before if before[patient] == after.get(patient)}
    assert not repeated, text
    assert steady <= set(seen), text


def check_export() -> None:
    """Reads a file; it has each patient, each identifier and each exchanged city once."""
    filters = PatientFilters(status="")
    found = list(every_patient(None, channel="command", filters=filters))
    assert len(found) == len({patient.pk for patient in found})
    values = [row.value for patient in found for row in patient.identifiers.all()]
    assert sorted(values) == [f"I9{number:04}" for number in range(90)]
    cities = [patient.city for patient in found if patient.city in EXCHANGED]
    assert sorted(cities) == sorted(EXCHANGED)
    assert len(list(csv_lines(iter(found)))) == len(found) + 1


EXCHANGED = [f"City{number}" for number in range(EXCHANGERS)]


def test_pages_and_files_beside_writers(people, writers, desk_api):
    """Red when the statements of a page see different moments, or an open change is forgotten."""
    dice, end = random.Random(11), time.monotonic() + LONGEST_SECONDS
    for _ in range(ROUNDS):
        text = dice.choice(TEXTS)
        check_walk(lambda text=text: pages_of_list(text, dice), text)
        text = dice.choice(TEXTS)
        check_walk(lambda text=text: pages_of_api(desk_api, text, dice), text)
        check_export()
        if time.monotonic() > end:
            break
    assert [writer.fault for writer in writers] == [None] * WRITERS
    assert all(writer.changes for writer in writers)
