"""The first page that is made shorter is the first page of the search."""

import pytest

from portal.patients.models import Patient, Source
from portal.patients.search import tuning
from portal.patients.search.engine import search
from portal.patients.search.first_page import read_first_page
from portal.patients.search.position import parse_position
from portal.patients.services import archive_patient, register_patients

pytestmark = pytest.mark.django_db(transaction=True)
BY = {"by": None, "source": Source.COMMAND}


@pytest.fixture
def people():
    names = ["Łukasz", "aaberg", "Zorn", "O'Neill", "Lind", "Linde", "王小明"]
    details = [{"family_name": name, "given_name": "Lin"} for name in names]
    return register_patients(details, **BY)


def active():
    return Patient.objects.filter(status="active")


@pytest.mark.parametrize("limit", [1, 3, 6, 7, 50])
def test_patients_and_place_are_those_of_the_search(people, limit):
    archive_patient(people[0].pk, **BY)
    ids, cursor = read_first_page(limit)
    page = search(active(), "", limit=limit)
    assert ids == [patient.pk for patient in page.patients]
    assert bool(cursor) == bool(page.next_cursor)
    if cursor:
        ours, theirs = parse_position(cursor, ""), parse_position(page.next_cursor, "")
        assert (ours.key, ours.place, ours.last_id) == (theirs.key, theirs.place, theirs.last_id)
        assert ours.begun.seen_events == theirs.begun.seen_events


def test_the_search_goes_on_after_it(people):
    ids, cursor = read_first_page(3)
    rest = search(active(), "", after=cursor, limit=50)
    found = [*ids, *(patient.pk for patient in rest.patients)]
    assert found == [patient.pk for patient in search(active(), "", limit=50).patients]


def test_while_very_much_is_written_the_search_answers(people, monkeypatch, desk_api):
    """Red when a cursor names only some of the changes that its page saw."""
    monkeypatch.setattr(tuning, "SEARCH", tuning.SearchTuning(max_seen=-1))
    assert read_first_page(4) is None
    assert len(desk_api.get("/api/patients?limit=4").json()) == 4
