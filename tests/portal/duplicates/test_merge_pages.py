"""The pages of a merge: find the other record, compare, merge, and undo the merge."""

from datetime import date
from itertools import chain

import pytest

from portal.accounts.models import User
from portal.patients.models import AccessRecord, Patient, PatientIdentifier, PossibleDuplicate
from portal.patients.services import archive_patient, change_patient, register_patient

pytestmark = pytest.mark.django_db(transaction=True)
HOW = {"by": None, "source": "portal"}
JANE = {"family_name": "Example", "given_name": "Jane", "date_of_birth": date(1984, 3, 15)}


@pytest.fixture
def older():
    number = [{"system": "insurance", "value": "A1"}]
    made = register_patient(
        {**JANE, "registered_on": "2020-01-01", "city": "Leeds", "identifiers": number}, **HOW
    )
    return Patient.objects.get(pk=made.pk)


@pytest.fixture
def newer(older):
    number = [{"system": "insurance", "value": "B1"}]
    details = {
        **JANE,
        "given_name": "Janet",
        "phone": "617 555 0100",
        "city": "York",
        "identifiers": number,
    }
    return Patient.objects.get(pk=register_patient(details, **HOW).pk)


@pytest.fixture
def desk(client, front_desk):
    client.force_login(front_desk)
    return client


def page_of(answer) -> str:
    return " ".join(answer.content.decode().split())


def address(first, second) -> str:
    return f"/patients/{first.pk}/merge/{second.pk}/"


def send(desk, first, second, **sent):
    """Sends the form as the page does, with its radio buttons as they are."""
    answer = desk.get(address(first, second), {"keep": sent["keep"]} if "keep" in sent else {})
    chosen = {
        f"from_{line.choice}": str(value.record)
        for line in answer.context["lines"]
        for value in line.values
        if line.differs and value.is_chosen
    }
    versions = {name: answer.context["form"][name].value() for name in ("version", "into_version")}
    keep = str(answer.context["survivor"].pk)
    return desk.post(
        address(first, second),
        {**versions, **chosen, "keep": keep, "reason": "Papers seen", **sent},
        follow=True,
    )


@pytest.mark.parametrize("is_turned", [False, True])
def test_the_older_record_survives_and_gets_what_it_lacks(desk, older, newer, is_turned):
    pair = (newer, older) if is_turned else (older, newer)
    answer = desk.get(address(*pair))
    assert f"Merge into EXAMPLE, Jane (MRN {older.mrn})" in page_of(answer)
    differing = {
        line.choice: [value.record for value in line.values if value.is_chosen]
        for line in answer.context["lines"]
        if line.differs
    }
    assert differing == {
        "given_name": [older.pk],
        "phone": [newer.pk],
        "address": [older.pk],
        "registered_on": [older.pk],
    }
    answer = send(desk, *pair)
    assert answer.redirect_chain[-1][0] == f"/patients/{older.pk}/"
    assert f"MRN {newer.mrn} was merged into this record." in page_of(answer)
    older.refresh_from_db()
    assert (older.given_name, older.city, older.phone) == ("Jane", "Leeds", "617 555 0100")


def test_the_newer_record_may_survive_and_each_value_is_chosen(desk, older, newer):
    answer = send(desk, older, newer, keep=str(newer.pk), from_given_name=str(older.pk))
    assert answer.redirect_chain[-1][0] == f"/patients/{newer.pk}/"
    newer.refresh_from_db()
    assert (newer.given_name, newer.city) == ("Jane", "York")
    assert Patient.objects.get(pk=older.pk).merged_into_id == newer.pk


def test_both_records_name_each_other_and_one_press_undoes_the_merge(desk, older, newer):
    answer = send(desk, older, newer)
    assert f'action="/patients/{newer.pk}/unmerge/"' in page_of(answer)
    assert f'<a class="app-nowrap" href="/patients/{newer.pk}/">MRN {newer.mrn}</a>' in page_of(
        answer
    )
    merged = page_of(desk.get(f"/patients/{newer.pk}/"))
    assert f'was merged into <a href="/patients/{older.pk}/">MRN {older.mrn}</a>' in merged
    assert "Undo merge" in merged
    assert "/edit/" not in merged
    answer = desk.post(f"/patients/{newer.pk}/unmerge/", follow=True)
    assert "are two records again" in page_of(answer)
    assert [*PatientIdentifier.objects.order_by("value").values_list("patient", flat=True)] == [
        older.pk,
        newer.pk,
    ]


def test_unmerging_says_which_values_stay_with_the_survivor(desk, older, newer):
    send(desk, older, newer)
    change_patient(older.pk, {"phone": "617 555 0199"}, **HOW)
    answer = desk.post(f"/patients/{newer.pk}/unmerge/", follow=True)
    assert f"stays with MRN {older.mrn}: phone." in page_of(answer)


def test_without_a_reason_the_choices_stay_and_nothing_is_written(desk, older, newer):
    answer = send(desk, older, newer, reason=" ", from_given_name=str(newer.pk))
    assert answer.status_code == 422
    assert "Say in a few words how you know" in page_of(answer)
    chosen = [
        value.record
        for line in answer.context["lines"]
        if line.choice == "given_name"
        for value in line.values
        if value.is_chosen
    ]
    assert chosen == [newer.pk]
    assert not Patient.objects.filter(status="merged").exists()


def test_a_change_since_the_page_was_opened_is_shown_first(desk, older, newer):
    answer = send(desk, older, newer, version="0")
    assert answer.status_code == 412
    assert "Someone else changed this patient meanwhile" in page_of(answer)
    assert not Patient.objects.filter(status="merged").exists()
    assert answer.context["form"]["version"].value() == 1


def test_a_record_that_was_merged_meanwhile_is_refused(desk, older, newer):
    send(desk, older, newer)
    answer = desk.post(address(older, newer), {"reason": "Again", "keep": str(older.pk)})
    assert answer.status_code == 409
    assert "Merge into" not in page_of(answer).split("<h1>")[1].split("What the record")[1]


def test_the_merge_page_dismisses_the_pair(desk, older, newer):
    answer = desk.post(address(older, newer), {"decision": "apart", "reason": "Twins"}, follow=True)
    assert "are two people" in page_of(answer)
    pair = PossibleDuplicate.objects.get()
    assert (pair.state, pair.reason) == ("apart", "Twins")
    assert not Patient.objects.filter(status="merged").exists()


def test_the_other_record_is_found_by_mrn_or_as_possible_duplicate(desk, older, newer):
    find = f"/patients/{older.pk}/merge/"
    assert f'href="{address(older, newer)}"' in page_of(desk.get(find))
    assert desk.get(find, {"q": newer.mrn}).headers["Location"] == address(older, newer)
    assert f'href="{address(older, newer)}"' in page_of(desk.get(find, {"q": "janet"}))
    assert "That is the record that you came from" in page_of(desk.get(find, {"q": older.mrn}))
    assert "Nobody is found" in page_of(desk.get(find, {"q": "nobody such"}))


def test_an_archived_record_does_not_survive(desk, older, newer):
    archive_patient(older.pk, **HOW)
    assert desk.get(address(older, newer)).context["survivor"] == newer
    answer = desk.get(address(older, newer), {"keep": str(older.pk)})
    assert "The record to keep is archived" in page_of(answer)
    assert "Merge into" not in page_of(answer)


def test_comparing_records_access_to_both(desk, older, newer, front_desk):
    desk.get(address(older, newer))
    read = AccessRecord.objects.filter(user=front_desk, action="compare")
    assert [record.patient_ids for record in read.order_by("id")] == [[older.pk], [newer.pk]]


def test_a_user_without_the_right_sees_no_link_and_gets_403(client, make_user, older, newer):
    client.force_login(make_user("clinician"))
    assert "/merge/" not in page_of(client.get(f"/patients/{older.pk}/"))
    for place in (f"/patients/{older.pk}/merge/", address(older, newer)):
        assert client.get(place).status_code == 403
    for place in (address(older, newer), f"/patients/{newer.pk}/unmerge/"):
        assert client.post(place).status_code == 403
    Patient.objects.filter(pk=newer.pk).update(status="merged", merged_into=older)
    assert "Undo merge" not in page_of(client.get(f"/patients/{newer.pk}/"))
    assert User.objects.filter(groups__permissions__codename="merge_patient").count() == 0


def told_changes(desk, patient) -> list[tuple[str, list[str]]]:
    days = desk.get(f"/patients/{patient.pk}/timeline/").context["days"]
    entries = chain.from_iterable(happenings for _, happenings in days)
    return [(entry.title, list(entry.details)) for entry in entries if entry.version]


def test_timeline_and_history_tell_the_merge_on_both_sides(desk, older, newer):
    send(desk, older, newer)
    assert told_changes(desk, older)[0] == (
        f"Merged MRN {newer.mrn} into this record",
        ["Because: Papers seen", "Phone added: 617 555 0100", "Insurance added: B1"],
    )
    title, details = told_changes(desk, newer)[0]
    assert (title, details[0]) == (f"Merged into MRN {older.mrn}", "Because: Papers seen")
    for patient in (older, newer):
        page = page_of(desk.get(f"/patients/{patient.pk}/history/"))
        assert f"/patients/{patient.pk}/undo/" not in page
    assert f"<td>MRN {older.mrn}</td>" in page
    desk.post(f"/patients/{newer.pk}/unmerge/")
    assert [told_changes(desk, record)[0][0] for record in (older, newer)] == [
        f"Merge of MRN {newer.mrn} undone",
        "Merge undone",
    ]


def test_an_old_mrn_finds_the_survivor_along_a_chain(desk, older, newer):
    third = register_patient({**JANE, "given_name": "June"}, **HOW)
    send(desk, third, newer, keep=str(newer.pk))
    send(desk, newer, older)
    for number in (newer.mrn, third.mrn):
        for place in ("/patients/", "/patients/suggest/"):
            page = page_of(desk.get(place, {"q": number}))
            assert f"Its record {number} was merged into this one" in page
            assert f'href="/patients/{older.pk}/"' in page
            assert f'href="/patients/{third.pk}/"' not in page
    hits = desk.get("/patients/", {"status": "any"}).context["page"].hits
    assert [hit.patient.pk for hit in hits] == [older.pk]
    assert page_of(desk.get(f"/patients/{older.pk}/")).count("MRN 1") >= len((newer, third))
