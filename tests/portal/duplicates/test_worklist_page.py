"""The page of possible duplicates: compare pairs, dismiss them, reopen them."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection

from portal.celery import app
from portal.duplicates import scans, tasks
from portal.duplicates.scans import run_requested_scans, run_scan, scan_recent_changes
from portal.duplicates.selectors import list_open_pairs
from portal.duplicates.services import dismiss_pair
from portal.jobs import Busy
from portal.patients.models import (
    AccessRecord,
    DuplicateScan,
    PairState,
    Patient,
    PossibleDuplicate,
)
from portal.patients.services import archive_patient, register_patients
from portal.patients.validation import validate_details

pytestmark = pytest.mark.django_db
PAGE = "/patients/duplicates/"
JANE = {
    "family_name": "Example",
    "given_name": "Jane",
    "date_of_birth": "1984-03-15",
    "sex": "female",
}


def register(**details) -> Patient:
    [patient] = register_patients([validate_details(JANE | details)], by=None, source="import")
    return patient


@pytest.fixture
def desk(client, front_desk):
    client.force_login(front_desk)
    return client


def shown(answer) -> list[tuple[str, set[str]]]:
    return [
        (row.pair.grade, {side.patient.given_name for side in row.sides})
        for row in answer.context["page"].rows
    ]


def test_pages_list_certain_pairs_first_then_by_reasons_then_by_age(desk):
    for name in ("Ada", "Bea", "Cora"):
        phone = "617 555 0147" if name == "Bea" else ""
        for given in (name, "Zoe"):
            register(given_name=given, family_name=f"{name}son", phone=phone)
    register(), register()
    run_scan(by=None)
    pairs = desk.get(PAGE).context["page"].rows
    assert [row.pair.grade for row in pairs] == ["certain", "probable", "probable", "probable"]
    assert [len(row.pair.reasons) for row in pairs] == [2, 3, 2, 2]
    ids = [row.pair.pk for row in pairs]
    assert ids[2] > ids[3]
    for at in range(len(ids)):
        seen = list_open_pairs(None, limit=at + 1)
        rest = []
        if seen.next_cursor:
            rest = desk.get(PAGE, {"after": seen.next_cursor}).context["page"].rows
        assert [row.pair.pk for row in rest] == ids[at + 1 :]
    assert [grade for grade, _ in shown(desk.get(PAGE, {"grade": "certain"}))] == ["certain"]


def test_seeing_a_pair_records_access_to_both(desk, front_desk):
    both = {register().pk, register().pk}
    run_scan(by=None)
    desk.get(PAGE)
    assert set(AccessRecord.objects.get(user=front_desk).patient_ids) == both


def test_what_only_one_record_knows_is_no_difference(desk):
    (
        register(phone="617 555 0147", postal_code="02139"),
        register(phone="(617) 555-0147", sex="male"),
    )
    run_scan(by=None)
    [pair] = desk.get(PAGE).context["page"].rows
    assert [side.differing for side in pair.sides] == [{"sex"}, {"sex"}]
    assert desk.get(PAGE).content.count(b"differs:") == 2


def test_one_press_dismisses_a_pair_and_another_reopens_it(desk, front_desk):
    register(), register(given_name="Rita")
    run_scan(by=None)
    pair = PossibleDuplicate.objects.get()
    after = desk.post(f"{PAGE}{pair.pk}/two-people/", {"grade": "probable"}, follow=True)
    assert after.redirect_chain[-1][0] == f"{PAGE}?grade=probable"
    assert "are two people." in after.content.decode()
    assert not shown(after)
    dismissed = desk.get(PAGE, {"show": "apart"})
    assert shown(dismissed) == [("probable", {"Jane", "Rita"})]
    assert str(front_desk) in dismissed.content.decode()
    back = desk.post(f"{PAGE}{pair.pk}/put-back/", {"grade": "probable"}, follow=True)
    assert shown(back) == [("probable", {"Jane", "Rita"})]


def test_the_patients_page_links_to_the_pairs_for_users_who_may_merge(desk, client, make_user):
    first, other = register(), register(given_name="Rita")
    register(given_name="Ruth"), register(family_name="Other"), register(family_name="Other")
    run_scan(by=None)
    page = f"/patients/{first.pk}/"
    assert "Possible duplicate of 2 other records" in desk.get(page).content.decode()
    assert len(shown(desk.get(PAGE, {"patient": first.pk}))) == 2
    archive_patient(other.pk, by=None, source="portal")
    assert "Possible duplicate of 1 other record:" in desk.get(page).content.decode()
    client.force_login(make_user("clinician"))
    assert "Possible duplicate" not in client.get(page).content.decode()


def test_archived_patients_and_dismissed_pairs_are_hidden_at_once(desk):
    first, _ = register(), register()
    other, another = register(family_name="Other"), register(family_name="Other")
    run_scan(by=None)
    archive_patient(first.pk, by=None, source="portal")
    dismiss_pair(other.pk, another.pk, by=None)
    answer = desk.get(PAGE)
    assert not shown(answer)
    assert "No two active patients are so much alike" in answer.content.decode()


def test_without_a_scan_the_page_offers_one_and_shows_its_progress(desk, front_desk):
    register(), register()
    assert "Nobody has looked yet" in desk.get(PAGE).content.decode()
    waiting = desk.post(f"{PAGE}find/", follow=True).content.decode()
    desk.post(f"{PAGE}find/")
    assert "Looking for duplicates." in waiting
    assert DuplicateScan.objects.get().by == front_desk
    poll = desk.get(PAGE, headers={"HX-Request": "true"})
    assert "hx-trigger" in poll.content.decode()
    assert "<!doctype" not in poll.content.decode()
    assert run_requested_scans() == 1
    assert "what changed since was looked at, too" in desk.get(PAGE).content.decode()


def test_a_requested_scan_nudges_the_task_that_runs_it(
    monkeypatch, django_capture_on_commit_callbacks
):
    """Red where the task and the nudge have different names."""
    nudged = []
    monkeypatch.setattr(app, "send_task", lambda name, **_: nudged.append(name))
    with django_capture_on_commit_callbacks(execute=True):
        scans.request_scan(by=None)
    assert nudged == [tasks.run_scans.name]


def test_changes_after_a_scan_are_scanned_within_minutes(desk):
    register()
    run_scan(by=None)
    register(), register(family_name="Other")
    assert "2 changes since are looked at in some minutes" in desk.get(PAGE).content.decode()
    assert scan_recent_changes(settled_seconds=60) == 0
    assert scan_recent_changes(settled_seconds=-1) == 2
    assert scan_recent_changes(settled_seconds=-1) == 0
    answer = desk.get(PAGE)
    assert shown(answer) == [("certain", {"Jane"})]
    assert "what changed since was looked at, too" in answer.content.decode()


def test_a_failed_scan_is_shown_and_not_run_again(desk, monkeypatch):
    def fail(_):
        raise RuntimeError

    monkeypatch.setattr(scans, "find_pairs", fail)
    desk.post(f"{PAGE}find/")
    with pytest.raises(RuntimeError):
        run_requested_scans()
    assert "The last look was cut off" in desk.get(PAGE).content.decode()
    assert run_requested_scans() == 0


@pytest.mark.django_db(transaction=True)
def test_a_second_scan_at_once_is_refused(monkeypatch):
    def scan():
        try:
            return run_scan(by=None).figures
        finally:
            connection.close()

    register(), register()
    refused = []

    def look_again(_):
        with ThreadPoolExecutor(1) as pool:
            refused.append(pool.submit(scan).exception())
        return {"compared": 0}

    monkeypatch.setattr(scans, "find_pairs", look_again)
    run_scan(by=None)
    monkeypatch.undo()
    assert isinstance(refused[0], Busy)
    assert run_scan(by=None).figures["new"] == 1
    assert PossibleDuplicate.objects.get().state == PairState.OPEN


@pytest.mark.parametrize(
    "query",
    [
        "after=nonsense",
        "after=certain.2.x",
        "after=certain.2",
        "show=apart&after=1.x",
        "after=certain.2.99999999999999999999",
    ],
)
def test_an_unknown_cursor_is_refused(desk, query):
    assert desk.get(f"{PAGE}?{query}").status_code == 400


def test_a_user_who_may_not_merge_sees_no_worklist(client, make_user):
    client.force_login(make_user("clinician"))
    assert client.get(PAGE).status_code == 403
    assert client.post(f"{PAGE}1/two-people/").status_code == 403
