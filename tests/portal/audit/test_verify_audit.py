"""The chain of seals: what was read and written cannot be changed, taken away or put in without being told."""

import io
import threading
from contextlib import contextmanager
from uuid import uuid4

import pgtrigger
import pytest
from django.core.management import call_command
from django.db import connection, transaction

from portal.audit import services
from portal.audit.digests import FORMS
from portal.audit.models import AuditSeal, Log
from portal.audit.services import seal_logs
from portal.celery import app
from portal.patients.audit import record_reading
from portal.patients.models import AccessRecord, IdentifierChange, Patient, PatientEvent
from portal.patients.services import change_patient, register_patient

pytestmark = pytest.mark.django_db


@pytest.fixture
def sealed(monkeypatch):
    """Five changes and five readings under seals of two rows each."""
    monkeypatch.setattr(services, "ROWS", 2)
    patient = register_patient({"family_name": "Example"}, by=None, source="api")
    for number in range(4):
        change_patient(patient.pk, {"city": f"Town {number}"}, by=None, source="api")
    for _ in range(5):
        record_reading(None, [patient.pk], action="open", channel="api")
    assert seal_logs() == 10
    return patient


def verify(*options: str) -> tuple[int, str]:
    told = io.StringIO()
    try:
        call_command("verify_audit", *options, stdout=told)
    except SystemExit as end:
        return int(end.code), told.getvalue()
    return 0, told.getvalue()


@contextmanager
def behind_the_back():
    """As somebody with the rights of a database administrator."""
    with pgtrigger.ignore(
        "patients.PatientEvent:append_only",
        "patients.IdentifierChange:append_only",
        "audit.AuditSeal:append_only",
    ):
        yield


def test_a_seal_that_could_not_start_in_its_minute_is_left_to_the_next():
    """Else two long imports, one in each of the worker's threads, leave hundreds of them behind."""
    entry = app.conf.beat_schedule["audit.seal"]
    assert 0 < entry["options"]["expires"] < entry["schedule"].total_seconds()


def test_what_nobody_touched_agrees_and_what_is_new_is_counted(sealed):
    record_reading(None, [sealed.pk], action="open", channel="api")
    code, told = verify()
    assert code == 0
    assert "Reads: 5 rows under 3 seals agree. 1 are not sealed yet." in told
    assert "Writes: 5 rows under 3 seals agree." in told
    assert verify("--seal")[1].count("not sealed") == 0
    assert seal_logs() == 0


@pytest.mark.parametrize("change", [{"door": "portal"}, {"patient_ids": []}, {"request_id": "x"}])
def test_a_reading_that_was_changed_is_named(sealed, change):
    row = AccessRecord.objects.order_by("id")[3]
    AccessRecord.objects.filter(pk=row.pk).update(**change)
    code, told = verify()
    assert code == 1
    assert f"Reads: BROKEN, row {row.pk} was changed. 3 rows under 2 seals agree." in told
    assert "Writes: 5 rows" in told


def test_a_change_that_was_rewritten_is_named(sealed):
    row = PatientEvent.objects.order_by("pgh_id")[1]
    with behind_the_back():
        PatientEvent.objects.filter(pk=row.pk).update(city="Elsewhere")
    assert verify()[0] == 1
    assert f"Writes: BROKEN, row {row.pk} was changed." in verify()[1]


def test_a_row_that_was_taken_away_is_named(sealed):
    row = AccessRecord.objects.order_by("id")[0]
    AccessRecord.objects.filter(pk=row.pk).delete()
    assert f"Reads: BROKEN, row {row.pk} is gone. 3 rows under 2 seals agree." in verify()[1]


def test_what_was_touched_behind_a_break_is_told_too(sealed):
    """An erased patient breaks a seal for good: whoever touches something later must not hide behind that."""
    rows = list(PatientEvent.objects.order_by("pgh_id"))
    with behind_the_back():
        PatientEvent.objects.filter(pk=rows[0].pk).delete()  # The lawful one,
        PatientEvent.objects.filter(pk=rows[1].pk).update(city="Beside it")
        PatientEvent.objects.filter(pk=rows[4].pk).update(city="Elsewhere")
    code, told = verify()
    assert code == 1
    broken = [
        f"row {rows[0].pk} is gone",
        f"row {rows[1].pk} was changed",
        f"row {rows[4].pk} was changed",
    ]
    assert f"Writes: BROKEN, {'; '.join(broken)}. 2 rows under 1 seals agree." in told
    assert "Reads: 5 rows under 3 seals agree." in told


def test_of_many_breaks_the_first_are_told_and_all_are_counted(sealed):
    rows = list(AccessRecord.objects.order_by("id"))
    AccessRecord.objects.update(door="admin")
    told = verify("--most", "2")[1]
    broken = f"row {rows[0].pk} was changed; row {rows[1].pk} was changed; and 3 more"
    assert f"Reads: BROKEN, {broken}. 0 rows under 0 seals agree." in told


def test_a_row_that_was_put_in_is_named():
    for _ in range(3):
        record_reading(None, [uuid4()], action="open", channel="api")
    free = AccessRecord.objects.order_by("id")[
        1
    ].pk  # As a transaction leaves it that was rolled back.
    AccessRecord.objects.filter(pk=free).delete()
    seal_logs()
    AccessRecord.objects.create(pk=free, action="open", door="api", patient_ids=[uuid4()])
    code, told = verify()
    assert code == 1
    assert f"Reads: BROKEN, row {free} was put in later." in told


def test_an_identifier_that_was_rewritten_in_the_log_is_named():
    for value in ("A-1", "A-2"):
        identifier = {"system": "urn:example:card", "value": value}
        register_patient(
            {"family_name": "Example", "identifiers": [identifier]}, by=None, source="api"
        )
    seal_logs()
    assert "Identifiers: 2 rows under 1 seals agree." in verify()[1]
    row = IdentifierChange.objects.order_by("id")[1]
    with behind_the_back():
        IdentifierChange.objects.filter(pk=row.pk).update(value="B-2")
    code, told = verify()
    assert code == 1
    assert f"Identifiers: BROKEN, row {row.pk} was changed." in told


@pytest.mark.parametrize("place", [0, 1, 2])
def test_a_seal_that_was_made_anew_breaks_those_behind_it_or_is_no_known_head(sealed, place):
    """Who can write everything can seal everything anew: only a head that was noted down elsewhere tells."""
    head = verify()[1].splitlines()[0].rpartition(" ")[2]
    with behind_the_back():
        AccessRecord.objects.filter(pk=AccessRecord.objects.order_by("id")[place * 2].pk).update(
            door="admin"
        )
        kept = AuditSeal.objects.filter(log="reads").order_by("to_id")[place]
        AuditSeal.objects.filter(log="reads", to_id__gte=kept.to_id).delete()
    seal_logs()
    assert verify()[0] == 0
    code, told = verify("--head", head)
    assert code == 1
    assert f"Head {head} is none of the seals" in told


def test_a_seal_that_is_gone_is_told(sealed):
    with behind_the_back():
        AuditSeal.objects.filter(log="reads").order_by("to_id")[1].delete()
    last = AuditSeal.objects.filter(log="reads").order_by("to_id")[0].to_id
    row = AccessRecord.objects.order_by("id")[4]
    AccessRecord.objects.filter(pk=row.pk).update(door="admin")
    broken = f"the seal behind row {last} is gone; row {row.pk} was changed"
    assert f"Reads: BROKEN, {broken}. 2 rows under 1 seals agree." in verify()[1]


def test_a_digest_that_was_changed_is_told(sealed):
    with behind_the_back():
        AuditSeal.objects.filter(log="reads", after_id=0).update(digest="0" * 64)
    to = AuditSeal.objects.get(log="reads", after_id=0).to_id
    assert f"Reads: BROKEN, the seal up to row {to} was changed" in verify()[1]


def test_a_seal_cannot_be_changed_by_the_portal(sealed):
    with pytest.raises(Exception, match="Cannot update or delete"), transaction.atomic():
        AuditSeal.objects.update(digest="0" * 64)


def test_the_digest_hangs_on_no_setting_of_the_session(sealed):
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL TIME ZONE 'Asia/Tokyo'; SET LOCAL extra_float_digits = 0")
    assert verify()[0] == 0


@pytest.mark.django_db(transaction=True)
def test_a_row_that_is_committed_late_is_sealed_in_its_place():
    """Its id is smaller than one that is there already; a seal past it would be broken as soon as it comes."""
    has_written, may_end = threading.Event(), threading.Event()

    def slow_writer():
        with transaction.atomic():
            record_reading(None, [patient.pk], action="open", channel="api")
            has_written.set()
            may_end.wait(30)
        connection.close()

    patient = register_patient({"family_name": "Example"}, by=None, source="api")
    writer = threading.Thread(target=slow_writer)
    writer.start()
    has_written.wait(30)
    record_reading(None, [patient.pk], action="list", channel="api")
    seal_logs(patience_seconds=0)
    assert not AuditSeal.objects.filter(log="reads").exists()
    may_end.set()
    writer.join()
    seal_logs()
    assert len(AuditSeal.objects.get(log="reads").row_ids) == 2
    assert verify()[0] == 0


def test_rows_sealed_before_the_log_had_a_column_are_checked_in_the_form_of_then(monkeypatch):
    monkeypatch.setitem(FORMS, Log.WRITES, 1)
    register_patient({"family_name": "Example"}, by=None, source="api")
    assert seal_logs() == 1
    monkeypatch.setitem(FORMS, Log.WRITES, 2)
    register_patient({"family_name": "Another"}, by=None, source="api")
    assert seal_logs() == 1
    assert [*AuditSeal.objects.order_by("to_id").values_list("form", flat=True)] == [1, 2]
    assert verify()[0] == 0


def test_into_which_record_one_was_merged_is_under_the_seal():
    first, second, third = (
        register_patient({"family_name": name}, by=None, source="api") for name in "ABC"
    )
    Patient.objects.filter(pk=first.pk).update(status="merged", merged_into=second)
    seal_logs()
    assert verify()[0] == 0
    with behind_the_back():
        PatientEvent.objects.filter(pgh_obj=first, version=2).update(merged_into=third)
    assert verify()[0] == 1
