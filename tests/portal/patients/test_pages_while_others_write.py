"""Pages neither leave out nor repeat a patient while others rename, archive and merge."""

import random
import threading
from contextlib import suppress
from dataclasses import replace

import pytest
from django.db import connection, transaction

from portal.duplicates.merge import merge_patient
from portal.errors import PortalError
from portal.patients.models import Patient, Source
from portal.patients.search import tuning
from portal.patients.search.engine import search
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


@pytest.fixture
def people():
    return register_patients(
        [
            {
                "family_name": f"Aaa{number:02}",
                "given_name": "Lin",
                "sex": "female",
                "phone": "617 555 0100 / 617 555 0199",
                "phone_e164": "+16175550100",
            }
            for number in range(20)
        ],
        **BY,
    )


def pages_of(api, query: str, between):
    """Yields the MRNs of each page, and calls `between` before each next one."""
    address = f"/api/patients?{query}"
    while address:
        answer = api.get(address)
        assert answer.status_code == 200
        yield [patient["mrn"] for patient in answer.json()]
        between()
        address = answer.headers.get("Link", "").partition(">")[0].lstrip("<")


@pytest.mark.parametrize(
    "query", ["limit=5", "limit=5&q=aaa", "limit=5&q=lin", "limit=5&q=0100", "limit=5&q=6175550199"]
)
def test_the_last_patient_of_a_page_is_renamed(desk_api, people, query):
    """Red when the next page looks up where the last patient stands now."""
    for new_name in ("Zzz", "Aaa", "Aaa19x"):

        def rename(new_name=new_name):
            change_patient(people[4].pk, {"family_name": new_name}, **BY)

        found = [mrn for page in pages_of(desk_api, query, rename) for mrn in page]
        assert found == [patient.mrn for patient in people], new_name
        change_patient(people[4].pk, {"family_name": "Aaa04"}, **BY)


@pytest.mark.parametrize("change", [archive_patient, None])
def test_the_last_patient_of_a_page_leaves_the_list(desk_api, people, change):
    def remove():
        if change:
            change(people[4].pk, **BY)
        elif Patient.objects.get(pk=people[4].pk).status != "merged":
            merge_patient(people[4].pk, into=people[0].pk, reason="One person.", **BY)

    found = [mrn for page in pages_of(desk_api, "limit=5", remove) for mrn in page]
    assert found == [patient.mrn for patient in people]


@pytest.mark.parametrize("text", ["0131", "617 555 0131"])
def test_a_search_by_phone_goes_on_while_a_patient_changes(desk_api, people, text):
    """Red when a column that the database computes is missing where the past is read."""
    for patient in people:
        change_patient(patient.pk, {"phone": "617 555 0131 / 617 555 0132"}, **BY)

    def rename():
        change_patient(people[4].pk, {"family_name": "Zzz"}, **BY)

    found = [mrn for page in pages_of(desk_api, f"limit=5&q={text}", rename) for mrn in page]
    assert found == [patient.mrn for patient in people]


def test_a_patient_who_is_renamed_to_the_front_still_comes(desk_api, people):
    def rename():
        change_patient(people[12].pk, {"family_name": "A"}, **BY)

    found = [mrn for page in pages_of(desk_api, "limit=5", rename) for mrn in page]
    assert found == [patient.mrn for patient in people]


def test_patients_who_are_registered_meanwhile_come_in_the_next_list(desk_api, people):
    """Also where they are renamed while the list is read: they would come twice."""

    def register_and_rename():
        new = Patient.objects.filter(family_name__startswith="Aaa1", family_name__endswith="x")
        for patient in new:
            change_patient(patient.pk, {"family_name": f"{patient.family_name}x"}, **BY)
        if not new:
            names = ["Aaa01x", "Aaa11x"]
            register_patients([{"family_name": name, "given_name": "Lin"} for name in names], **BY)

    found = [mrn for page in pages_of(desk_api, "limit=5", register_and_rename) for mrn in page]
    assert found == [patient.mrn for patient in people]
    again = [mrn for page in pages_of(desk_api, "limit=5", lambda: None) for mrn in page]
    assert len(again) == len(people) + 2


def test_who_comes_into_a_list_and_moves_in_it_comes_at_most_once(desk_api, people):
    archive_patient(people[7].pk, **BY)
    names = iter(["Aaa08x", "Aaa13x", "Aaa17x"])

    def restore_and_rename():
        restore_patient(people[7].pk, **BY)
        change_patient(people[7].pk, {"family_name": next(names, "Aaa19x")}, **BY)

    found = [mrn for page in pages_of(desk_api, "limit=5", restore_and_rename) for mrn in page]
    assert found == [patient.mrn for patient in people if patient != people[7]]


@pytest.mark.parametrize(
    "query", ["limit=5", "limit=5&q=lin", "limit=5&q=li", "limit=5&q=0100", "limit=5&q=li aaa"]
)
def test_a_change_that_is_open_while_the_first_page_is_read(desk_api, people, query):
    """Red when a change counts by the time at which its transaction began.

    And when the statement of the first page does not say which changes it saw.
    """
    has_changed, may_commit = threading.Event(), threading.Event()

    def rename():
        with transaction.atomic():
            change_patient(people[2].pk, {"family_name": "Aaa18x"}, **BY)
            change_patient(people[17].pk, {"family_name": "Aaa"}, **BY)
            has_changed.set()
            may_commit.wait(10)
        connection.close()

    writer = threading.Thread(target=rename)
    writer.start()
    assert has_changed.wait(10)
    change_patient(people[9].pk, {"family_name": "Aaa02x"}, **BY)  # The first page sees it.

    def commit():
        may_commit.set()
        writer.join()

    found = [mrn for page in pages_of(desk_api, query, commit) for mrn in page]
    in_order = [*people[:3], people[9], *people[3:9], *people[10:]]
    assert found == [patient.mrn for patient in in_order]


def test_very_many_changes_let_patients_come_at_their_new_place(people, monkeypatch):
    monkeypatch.setattr(tuning, "SEARCH", replace(tuning.SEARCH, max_changes=2))
    first = search(Patient.objects.all(), "", limit=5)
    for patient in people[6:9]:
        change_patient(patient.pk, {"family_name": f"Zzz{patient.mrn}"}, **BY)
    second = search(Patient.objects.all(), "", after=first.next_cursor, limit=20)
    others = [patient.pk for patient in (*people[5:6], *people[9:], *people[6:9])]
    assert sorted(patient.pk for patient in second.patients) == sorted(others)


def test_a_cursor_shows_no_name(people):
    cursor = search(Patient.objects.all(), "", limit=5).next_cursor
    assert "aaa" not in cursor.lower()
    assert str(people[4].pk) not in cursor


def test_any_changes_between_pages():
    """Patients who stay come once, and nobody comes twice. An export has all as at its start."""
    dice = random.Random(1)
    for _ in range(8):
        register_patients([_details(dice) for _ in range(10)], **BY)
        for text in ("", "lin", "lindgren ann", "lindgrn", "lind"):
            _check_search(text, dice)


def _check_search(text: str, dice: random.Random) -> None:
    whole = [patient.pk for patient in _page(text, limit=200).patients]
    export = every_patient(None, channel="command", text=text)
    exact = [hit.patient.pk for hit in _page(text, limit=200).hits if not hit.is_approximate]
    exported = [next(export).pk] if exact else []
    changed, seen, cursor = set(), [], ""
    while not seen or cursor:
        page = _page(text, after=cursor, limit=dice.randint(1, 7))
        seen += [hit.patient.pk for hit in page.hits if not hit.is_approximate]
        cursor = page.next_cursor
        if not page.hits:
            break
        changed |= {_change_anybody(dice) for _ in range(dice.randint(0, 3))}
    exported += [patient.pk for patient in export]
    assert sorted(exported) == sorted(exact)
    assert len(seen) == len(set(seen))
    assert set(exact) - changed <= set(seen) <= set(whole) | changed
    still = _page(text, limit=200)
    stayed = {hit.patient.pk for hit in still.hits if not hit.is_approximate} & set(exact)
    assert stayed <= set(seen)


def _page(text: str, *, after: str = "", limit: int):
    filters = PatientFilters()
    return find_patients(
        None, channel="command", text=text, filters=filters, after=after, limit=limit
    )


def _details(dice: random.Random) -> dict[str, str]:
    return {
        "family_name": dice.choice(FAMILY_NAMES),
        "given_name": dice.choice(GIVEN_NAMES),
        "sex": dice.choice(["female", "male"]),
    }


def _change_anybody(dice: random.Random):
    """Renames, archives, restores or merges a patient; returns who it was."""
    patients = list(Patient.objects.exclude(status="merged").order_by("mrn"))
    patient, other = dice.sample(patients, 2)
    with suppress(PortalError):  # An archived patient takes no merge.
        match dice.randrange(6):
            case 0:
                archive_patient(patient.pk, **BY)
            case 1:
                restore_patient(patient.pk, **BY)
            case 2:
                merge_patient(patient.pk, into=other.pk, reason="One person.", **BY)
            case _:
                change_patient(patient.pk, _details(dice), override_reason="Two people.", **BY)
    return patient.pk
