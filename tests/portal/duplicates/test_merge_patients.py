"""Two records become one, and two again: whole or not at all, and no value is lost."""

from datetime import date
from itertools import pairwise

import pghistory
import pytest
from django.db import DatabaseError, connection

from portal.duplicates.merge import merge_patient, unmerge_patient
from portal.errors import Conflict, InvalidInput, NotFound, PortalError, StaleVersion
from portal.patients import services
from portal.patients.history.log import record_as_of
from portal.patients.history.undo import undo_change
from portal.patients.models import (
    EventOutbox,
    IdentifierChange,
    Patient,
    PatientEvent,
    PatientIdentifier,
)
from tests.portal.patients.test_two_desks_at_once import at_once

# All changes of one transaction are one version, so that each change needs its own.
pytestmark = pytest.mark.django_db(transaction=True)
HOW = {"by": None, "source": "portal"}


def register(family: str, *numbers: str, **details) -> Patient:
    identifiers = [{"system": "insurance", "value": number} for number in numbers]
    return services.register_patient(
        {"family_name": family, "identifiers": identifiers, **details}, **HOW
    )


def merge(duplicate, survivor, *, take=(), reason="Papers seen", **versions) -> Patient:
    return merge_patient(
        duplicate.pk, into=survivor.pk, reason=reason, take=take, **HOW, **versions
    )


def numbers_of(patient) -> list[str]:
    return sorted(PatientIdentifier.objects.filter(patient=patient).values_list("value", flat=True))


def log_of(patient) -> list[tuple[int, str]]:
    rows = PatientEvent.objects.filter(pgh_obj=patient.pk).order_by("pgh_id")
    assert EventOutbox.objects.filter(event_id__in=rows.values("pk")).count() == len(rows)
    return [(row.version, row.status) for row in rows]


def everything() -> list[list[tuple]]:
    models = (Patient, PatientIdentifier, PatientEvent, EventOutbox, IdentifierChange)
    return [sorted(model.objects.values_list(), key=repr) for model in models]


@pytest.fixture
def survivor():
    return register("Example", "A1", given_name="Jane", city="Leeds")


@pytest.fixture
def duplicate():
    return register("Exampel", "B1", "B2", given_name="Jane", phone="+44 20 7946 0018", city="York")


def test_the_survivor_gets_chosen_values_and_all_identifiers(survivor, duplicate):
    merged = merge(duplicate, survivor, take=["phone", "address"])
    assert (merged.family_name, merged.city, merged.phone_e164) == (
        "Example",
        "York",
        "+442079460018",
    )
    assert (numbers_of(survivor), numbers_of(duplicate)) == (["A1", "B1", "B2"], [])
    duplicate.refresh_from_db()
    assert (duplicate.status, duplicate.merged_into_id) == ("merged", survivor.pk)
    assert (duplicate.family_name, duplicate.city) == ("Exampel", "York")


def test_each_record_has_one_more_version_in_the_log(survivor, duplicate):
    merge(duplicate, survivor, take=["phone"])
    assert log_of(survivor) == [(1, "active"), (2, "active")]
    assert log_of(duplicate) == [(1, "active"), (2, "merged")]
    moved = IdentifierChange.objects.filter(version=2).order_by("value", "is_added")
    assert [(change.value, change.patient_id, change.is_added) for change in moved] == [
        ("B1", duplicate.pk, False),
        ("B1", survivor.pk, True),
        ("B2", duplicate.pk, False),
        ("B2", survivor.pk, True),
    ]
    before = record_as_of(None, Patient.objects.get(pk=survivor.pk), version=1)
    assert [identifier.value for identifier in before.identifiers] == ["A1"]


def test_a_survivor_that_gains_nothing_has_a_new_version_too():
    """Else its timeline would not show the merge, and no event would follow."""
    survivor, duplicate = register("Example"), register("Example", city="Leeds")
    assert merge(duplicate, survivor).version == 2
    assert [context["merge"]["reason"] for context in contexts(version=2)] == ["Papers seen"] * 2


def contexts(**which) -> list[dict]:
    return [*PatientEvent.objects.filter(**which).values_list("pgh_context", flat=True)]


def test_later_changes_of_the_same_request_are_no_part_of_the_merge(survivor, duplicate):
    with pghistory.context(request_id="one request"):
        merge(duplicate, survivor)
        services.change_patient(survivor.pk, {"city": "Hull"}, **HOW)
    assert "merge" not in contexts(pgh_obj=survivor, version=3)[0]


def test_unmerging_makes_both_records_what_they_were(survivor, duplicate):
    before = [columns(record) for record in (survivor, duplicate)]
    merge(duplicate, survivor, take=["family_name", "phone", "address"])
    result = unmerge_patient(duplicate.pk, **HOW)
    assert [columns(record) for record in (result.survivor, result.unmerged)] == before
    assert result.kept_by_survivor == []
    assert (numbers_of(survivor), numbers_of(duplicate)) == (["A1"], ["B1", "B2"])
    assert log_of(survivor) == [(1, "active"), (2, "active"), (3, "active")]
    assert log_of(duplicate) == [(1, "active"), (2, "merged"), (3, "active")]


def columns(patient) -> dict:
    changing = {"_state", "version", "updated_at", "changed_in", "_prefetched_objects_cache"}
    return {
        name: value
        for name, value in vars(Patient.objects.get(pk=patient.pk)).items()
        if name not in changing
    }


def test_what_was_changed_since_the_merge_stays_and_is_named(survivor, duplicate):
    merge(duplicate, survivor, take=["phone", "address"])
    services.change_patient(
        survivor.pk,
        {"city": "Hull", "identifiers": [{"system": "insurance", "value": "B2"}]},
        **HOW,
    )
    result = unmerge_patient(duplicate.pk, **HOW)
    assert result.kept_by_survivor == ["address", "identifiers"]
    assert (result.survivor.city, result.survivor.phone) == ("Hull", "")
    assert (numbers_of(survivor), numbers_of(duplicate)) == ([], ["B2"])


def test_an_archived_duplicate_is_archived_again(survivor, duplicate):
    services.archive_patient(duplicate.pk, **HOW)
    merge(duplicate, survivor)
    assert unmerge_patient(duplicate.pk, **HOW).unmerged.status == "archived"


def test_a_merge_by_sql_can_be_undone_too(survivor, duplicate):
    Patient.objects.filter(pk=duplicate.pk).update(status="merged", merged_into=survivor)
    assert unmerge_patient(duplicate.pk, **HOW).unmerged.status == "active"


@pytest.mark.parametrize(
    ("error", "arguments"),
    [
        (InvalidInput, {"reason": " "}),
        (InvalidInput, {"reason": "x" * 501}),
        (InvalidInput, {"take": ["phone", "city"]}),
        (StaleVersion, {"expected_version": 7}),
        (StaleVersion, {"expected_into_version": 7}),
    ],
)
def test_what_is_not_complete_or_stale_is_refused_and_changes_nothing(
    survivor, duplicate, error, arguments
):
    before = everything()
    with pytest.raises(error):
        merge(duplicate, survivor, **arguments)
    assert everything() == before


def test_a_record_is_not_merged_into_itself_or_a_missing_one(survivor, duplicate):
    with pytest.raises(InvalidInput):
        merge(survivor, survivor)
    unknown = Patient(family_name="Unknown")
    for pair in ((survivor, unknown), (unknown, survivor)):
        with pytest.raises(NotFound):
            merge(*pair)
    with pytest.raises(NotFound):
        unmerge_patient(unknown.pk, **HOW)
    with pytest.raises(Conflict):
        unmerge_patient(duplicate.pk, **HOW)


def test_values_that_do_not_fit_together_are_refused(survivor, duplicate):
    services.change_patient(survivor.pk, {"date_of_birth": date(1990, 1, 1)}, **HOW)
    services.change_patient(duplicate.pk, {"deceased_on": date(1980, 1, 1)}, **HOW)
    with pytest.raises(InvalidInput):
        merge(duplicate, survivor, take=["deceased_on"])


def test_no_record_is_merged_twice_or_into_an_inactive_one(survivor, duplicate):
    third = register("Third")
    merge(duplicate, survivor)
    for pair in ((duplicate, third), (third, duplicate)):
        with pytest.raises(Conflict) as refused:
            merge(*pair)
        assert refused.value.extra == {"mergedInto": str(survivor.pk)}
    services.archive_patient(third.pk, **HOW)
    with pytest.raises(Conflict, match="conflict"):
        merge(survivor, third)


def test_no_channel_changes_a_merged_record(survivor, duplicate):
    merge(duplicate, survivor)
    before = everything()
    operator = None
    for change in (
        lambda: services.change_patient(duplicate.pk, {"city": "Hull"}, **HOW),
        lambda: services.change_patients(
            [(survivor.pk, {"city": "Hull"}), (duplicate.pk, {"city": "Hull"})], **HOW
        ),
        lambda: services.archive_patient(duplicate.pk, **HOW),
        lambda: services.restore_patient(duplicate.pk, **HOW),
        lambda: undo_change(duplicate.pk, version=2, by=operator, source="portal"),
        lambda: undo_change(survivor.pk, version=2, by=operator, source="portal"),
    ):
        with pytest.raises(PortalError) as refused:
            change()
        assert isinstance(refused.value, Conflict)
    assert everything() == before


def test_a_chain_is_merged_link_by_link_and_unmerged_from_its_end():
    records = [register(name, f"{name}1") for name in "CBA"]
    for duplicate, into in pairwise(records):
        merge(duplicate, into)
    third, second, first = records
    assert numbers_of(first) == ["A1", "B1", "C1"]
    with pytest.raises(Conflict):
        unmerge_patient(third.pk, **HOW)
    unmerge_patient(second.pk, **HOW)
    assert (numbers_of(first), numbers_of(second)) == (["A1"], ["B1", "C1"])
    unmerge_patient(third.pk, **HOW)
    assert [numbers_of(record) for record in records] == [["C1"], ["B1"], ["A1"]]


def test_two_users_who_merge_crosswise_get_one_merge_and_a_conflict(survivor, duplicate):
    """Red without locks in one order: one of the two is a deadlock, or both are merged."""
    for _ in range(5):
        pairs = [(duplicate, survivor), (survivor, duplicate)] * 2
        results = at_once(4, lambda number, pairs=pairs: merge(*pairs[number]))
        assert sum(isinstance(result, Patient) for result in results) == 1
        assert sum(isinstance(result, Conflict) for result in results) == 3
        merged = Patient.objects.get(status="merged")
        unmerge_patient(merged.pk, **HOW)
    assert [numbers_of(record) for record in (survivor, duplicate)] == [["A1"], ["B1", "B2"]]


def test_a_fault_in_the_middle_of_a_merge_changes_nothing(survivor, duplicate):
    """The last of the writes fails. Red where the earlier ones are transactions of their own."""
    before = everything()
    with connection.cursor() as cursor:
        cursor.execute("""
            CREATE FUNCTION pg_temp.fail() RETURNS trigger LANGUAGE plpgsql
            AS $$ BEGIN RAISE EXCEPTION 'planted'; END $$""")
        cursor.execute("""
            CREATE TRIGGER zz_planted AFTER UPDATE ON patients_patientidentifier
            FOR EACH STATEMENT EXECUTE FUNCTION pg_temp.fail()""")
    try:
        with pytest.raises(DatabaseError, match="planted"):
            merge(duplicate, survivor, take=["phone"])
    finally:
        with connection.cursor() as cursor:
            cursor.execute("DROP TRIGGER zz_planted ON patients_patientidentifier")
    assert everything() == before
    merge(duplicate, survivor, take=["phone"])


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_merges_undone_in_any_order_give_back_what_was_before_both(order):
    """Red where the later merge gives back the value of the earlier one, which is undone."""
    kept = register("Example", "C1", given_name="Jane")
    others = [
        register("Exampel", f"{name}1", given_name="Jane", phone=f"020 7946 000{number}")
        for number, name in enumerate("AB")
    ]
    for other in others:
        merge(other, kept, take=["phone"])
    for place in order:
        unmerge_patient(others[place].pk, **HOW)
    kept.refresh_from_db()
    assert (kept.phone, kept.phone_e164, numbers_of(kept)) == ("", "", ["C1"])


def test_a_correction_between_two_merges_is_what_undoing_both_gives_back():
    kept = register("Example", "C1", given_name="Jane", city="Leeds")
    first, second = (register("Exampel", f"{name}1", city=name) for name in ("Hull", "York"))
    merge(first, kept, take=["address"])
    services.change_patient(kept.pk, {"city": "Bath"}, **HOW)
    merge(second, kept, take=["address"])
    unmerge_patient(first.pk, **HOW)
    unmerge_patient(second.pk, **HOW)
    kept.refresh_from_db()
    assert kept.city == "Bath"


def test_a_value_that_two_merged_records_gave_stays_until_both_merges_are_undone():
    """Red where undoing the first merge takes what the second, still in force, chose too."""
    kept = register("Example", "C1", given_name="Jane")
    first, second = (register("Exampel", f"{name}1", phone="020 7946 0001") for name in "AB")
    merge(first, kept, take=["phone"])
    merge(second, kept, take=["phone"])
    assert unmerge_patient(first.pk, **HOW).kept_by_survivor == ["phone"]
    kept.refresh_from_db()
    assert kept.phone == "020 7946 0001"
    unmerge_patient(second.pk, **HOW)
    kept.refresh_from_db()
    assert kept.phone == ""


def test_a_value_that_a_person_wrote_after_the_merge_stays_though_the_merge_had_it():
    """Red where the present value alone tells where it came from."""
    kept = register("Example", "C1", given_name="Jane", city="Leeds")
    other = register("Exampel", "A1", city="Hull")
    merge(other, kept, take=["address"])
    for city in ("Bath", "Hull"):
        services.change_patient(kept.pk, {"city": city}, **HOW)
    assert unmerge_patient(other.pk, **HOW).kept_by_survivor == ["address"]
    kept.refresh_from_db()
    assert kept.city == "Hull"
