"""The chain of seals: no row of the logs is changed, deleted or inserted without being found."""

import io
import threading
from contextlib import contextmanager
from uuid import uuid4

import pgtrigger
import pytest
from django.core.management import call_command
from django.db import connection, transaction

from portal.audit import services
from portal.audit.digests import CURRENT_FORMS
from portal.audit.models import AuditSeal, Log
from portal.audit.services import seal_logs
from portal.patients.audit import record_access
from portal.patients.models import AccessRecord, IdentifierChange, Patient, PatientEvent
from portal.patients.services import change_patient, register_patient
from portal.schedule.timetable import TIMETABLE

pytestmark = pytest.mark.django_db


@pytest.fixture
def sealed(monkeypatch):
    """Five changes and five access records under seals of two rows each."""
    monkeypatch.setattr(services, "SEAL_ROWS", 2)
    patient = register_patient({"family_name": "Example"}, by=None, source="api")
    for number in range(4):
        change_patient(patient.pk, {"city": f"Town {number}"}, by=None, source="api")
    for _ in range(5):
        record_access(None, [patient.pk], action="open", channel="api")
    assert seal_logs() == 10
    return patient


def verify(*options: str) -> tuple[int, str]:
    output = io.StringIO()
    try:
        call_command("verify_audit", *options, stdout=output)
    except SystemExit as end:
        return int(end.code), output.getvalue()
    return 0, output.getvalue()


@contextmanager
def past_the_triggers():
    """Lets the database write as an administrator could, past the triggers."""
    with pgtrigger.ignore(
        "patients.PatientEvent:append_only",
        "patients.IdentifierChange:append_only",
        "audit.AuditSeal:append_only",
    ):
        yield


def test_a_seal_that_could_not_start_in_its_minute_is_left_to_the_next():
    """Else two long imports, one in each thread of the worker, leave hundreds of them waiting."""
    entry = TIMETABLE["audit.seal"]
    assert 0 < entry["options"]["expires"] < entry["schedule"].total_seconds()


def test_unchanged_rows_agree_and_new_ones_are_counted(sealed):
    record_access(None, [sealed.pk], action="open", channel="api")
    code, output = verify()
    assert code == 0
    assert "Reads: 5 rows under 3 seals agree. 1 are not sealed yet." in output
    assert "Writes: 5 rows under 3 seals agree." in output
    assert verify("--seal")[1].count("not sealed") == 0
    assert seal_logs() == 0


@pytest.mark.parametrize("change", [{"door": "portal"}, {"patient_ids": []}, {"request_id": "x"}])
def test_a_changed_access_record_is_named(sealed, change):
    row = AccessRecord.objects.order_by("id")[3]
    AccessRecord.objects.filter(pk=row.pk).update(**change)
    code, output = verify()
    assert code == 1
    assert f"Reads: BROKEN, row {row.pk} was changed. 3 rows under 2 seals agree." in output
    assert "Writes: 5 rows" in output


def test_a_changed_row_of_the_log_is_named(sealed):
    row = PatientEvent.objects.order_by("pgh_id")[1]
    with past_the_triggers():
        PatientEvent.objects.filter(pk=row.pk).update(city="Elsewhere")
    assert verify()[0] == 1
    assert f"Writes: BROKEN, row {row.pk} was changed." in verify()[1]


def test_a_deleted_row_is_named(sealed):
    row = AccessRecord.objects.order_by("id")[0]
    AccessRecord.objects.filter(pk=row.pk).delete()
    assert f"Reads: BROKEN, row {row.pk} is gone. 3 rows under 2 seals agree." in verify()[1]


def test_breaks_behind_a_break_are_named_too(sealed):
    """An erased patient breaks a seal for good; a later break must not hide behind it."""
    rows = list(PatientEvent.objects.order_by("pgh_id"))
    with past_the_triggers():
        PatientEvent.objects.filter(pk=rows[0].pk).delete()  # A lawful erasure.
        PatientEvent.objects.filter(pk=rows[1].pk).update(city="Beside it")
        PatientEvent.objects.filter(pk=rows[4].pk).update(city="Elsewhere")
    code, output = verify()
    assert code == 1
    broken = [
        f"row {rows[0].pk} is gone",
        f"row {rows[1].pk} was changed",
        f"row {rows[4].pk} was changed",
    ]
    assert f"Writes: BROKEN, {'; '.join(broken)}. 2 rows under 1 seals agree." in output
    assert "Reads: 5 rows under 3 seals agree." in output


def test_the_first_of_many_breaks_are_named_and_all_are_counted(sealed):
    rows = list(AccessRecord.objects.order_by("id"))
    AccessRecord.objects.update(door="admin")
    output = verify("--most", "2")[1]
    broken = f"row {rows[0].pk} was changed; row {rows[1].pk} was changed; and 3 more"
    assert f"Reads: BROKEN, {broken}. 0 rows under 0 seals agree." in output


def test_an_inserted_row_is_named():
    for _ in range(3):
        record_access(None, [uuid4()], action="open", channel="api")
    # A free id, as a transaction leaves one that was rolled back.
    free = AccessRecord.objects.order_by("id")[1].pk
    AccessRecord.objects.filter(pk=free).delete()
    seal_logs()
    AccessRecord.objects.create(pk=free, action="open", door="api", patient_ids=[uuid4()])
    code, output = verify()
    assert code == 1
    assert f"Reads: BROKEN, row {free} was put in later." in output


def test_a_changed_identifier_in_the_log_is_named():
    for value in ("A-1", "A-2"):
        identifier = {"system": "urn:example:card", "value": value}
        patient = {"family_name": "Example", "identifiers": [identifier]}
        register_patient(patient, by=None, source="api")
    seal_logs()
    assert "Identifiers: 2 rows under 1 seals agree." in verify()[1]
    row = IdentifierChange.objects.order_by("id")[1]
    with past_the_triggers():
        IdentifierChange.objects.filter(pk=row.pk).update(value="B-2")
    code, output = verify()
    assert code == 1
    assert f"Identifiers: BROKEN, row {row.pk} was changed." in output


@pytest.mark.parametrize("place", [0, 1, 2])
def test_seals_that_were_made_anew_lose_the_known_head(sealed, place):
    """An administrator can seal everything anew; only a head kept elsewhere reveals it."""
    head = verify()[1].splitlines()[0].rpartition(" ")[2]
    with past_the_triggers():
        row = AccessRecord.objects.order_by("id")[place * 2]
        AccessRecord.objects.filter(pk=row.pk).update(door="admin")
        first = AuditSeal.objects.filter(log="reads").order_by("to_id")[place]
        AuditSeal.objects.filter(log="reads", to_id__gte=first.to_id).delete()
    seal_logs()
    assert verify()[0] == 0
    code, output = verify("--head", head)
    assert code == 1
    assert f"Head {head} is none of the seals" in output


def test_a_deleted_seal_is_found(sealed):
    with past_the_triggers():
        AuditSeal.objects.filter(log="reads").order_by("to_id")[1].delete()
    last = AuditSeal.objects.filter(log="reads").order_by("to_id")[0].to_id
    row = AccessRecord.objects.order_by("id")[4]
    AccessRecord.objects.filter(pk=row.pk).update(door="admin")
    broken = f"the seal behind row {last} is gone; row {row.pk} was changed"
    assert f"Reads: BROKEN, {broken}. 2 rows under 1 seals agree." in verify()[1]


def test_a_changed_digest_is_found(sealed):
    with past_the_triggers():
        AuditSeal.objects.filter(log="reads", after_id=0).update(digest="0" * 64)
    to = AuditSeal.objects.get(log="reads", after_id=0).to_id
    assert f"Reads: BROKEN, the seal up to row {to} was changed" in verify()[1]


def test_a_seal_cannot_be_changed_by_the_portal(sealed):
    with pytest.raises(Exception, match="Cannot update or delete"), transaction.atomic():
        AuditSeal.objects.update(digest="0" * 64)


def test_a_digest_depends_on_no_setting_of_the_session(sealed):
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL TIME ZONE 'Asia/Tokyo'; SET LOCAL extra_float_digits = 0")
    assert verify()[0] == 0


@pytest.mark.django_db(transaction=True)
def test_a_row_that_is_committed_late_is_sealed_in_its_place():
    """Its id is smaller than one that is there already: a seal over both would break."""
    has_written, may_end = threading.Event(), threading.Event()

    def slow_writer():
        with transaction.atomic():
            record_access(None, [patient.pk], action="open", channel="api")
            has_written.set()
            may_end.wait(30)
        connection.close()

    patient = register_patient({"family_name": "Example"}, by=None, source="api")
    writer = threading.Thread(target=slow_writer)
    writer.start()
    has_written.wait(30)
    record_access(None, [patient.pk], action="list", channel="api")
    seal_logs(patience_seconds=0)
    assert not AuditSeal.objects.filter(log="reads").exists()
    may_end.set()
    writer.join()
    seal_logs()
    assert len(AuditSeal.objects.get(log="reads").row_ids) == 2
    assert verify()[0] == 0


def test_rows_sealed_before_a_new_column_are_checked_in_their_form(monkeypatch):
    monkeypatch.setitem(CURRENT_FORMS, Log.WRITES, 1)
    register_patient({"family_name": "Example"}, by=None, source="api")
    assert seal_logs() == 1
    monkeypatch.setitem(CURRENT_FORMS, Log.WRITES, 2)
    register_patient({"family_name": "Another"}, by=None, source="api")
    assert seal_logs() == 1
    assert [*AuditSeal.objects.order_by("to_id").values_list("form", flat=True)] == [1, 2]
    assert verify()[0] == 0


def test_the_seal_covers_the_survivor_of_a_merge():
    first, second, third = (
        register_patient({"family_name": name}, by=None, source="api") for name in "ABC"
    )
    Patient.objects.filter(pk=first.pk).update(status="merged", merged_into=second)
    seal_logs()
    assert verify()[0] == 0
    with past_the_triggers():
        PatientEvent.objects.filter(pgh_obj=first, version=2).update(merged_into=third)
    assert verify()[0] == 1
