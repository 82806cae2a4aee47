"""The audit page: who read and changed which record, filtered, in pages, newest first."""

from datetime import timedelta

import pytest
from django.utils import timezone

from portal.audit.query import AuditQuery
from portal.audit.selectors import audit_page
from portal.patients import services
from portal.patients.audit import record_access
from portal.patients.models import AccessRecord, Patient, PatientEvent
from portal.patients.selectors import open_patient

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _one_day(monkeypatch):
    """Keeps the page at the day on which the test began, also over midnight."""
    today = timezone.localdate()
    monkeypatch.setattr(timezone, "localdate", lambda *_: today)


@pytest.fixture
def auditor(client, make_user):
    client.force_login(make_user("auditor", full_name="Ada Auditor"))
    return client


def registered(name: str, by=None) -> Patient:
    return services.register_patient({"family_name": name}, by=by, source="portal")


def shown(client, query: str = "") -> list[str]:
    """Returns who did what to how many patients, newest first."""
    page = client.get(f"/audit/{query}").context["page"]
    return [f"{entry.who}: {entry.what} ({entry.count})" for entry in page.rows]


def read_at(days_ago: float, patient, by=None) -> None:
    record_access(by, [patient.pk], action="open", channel="portal")
    moment = timezone.now() - timedelta(days=days_ago)
    AccessRecord.objects.filter(pk=AccessRecord.objects.latest("id").pk).update(at=moment)


def test_reads_and_writes_stand_together_newest_first(auditor, front_desk):
    patient = registered("Able", front_desk)
    services.change_patient(
        patient.pk, {"phone": "555 0100", "city": "Leeds"}, by=front_desk, source="api"
    )
    services.archive_patient(patient.pk, by=front_desk, source="admin")
    open_patient(front_desk, patient.pk, channel="portal")
    who = front_desk.email
    assert shown(auditor) == [
        f"{who}: Opened the record (1)",
        f"{who}: Archived (1)",
        f"{who}: Changed phone, city (1)",
        f"{who}: Registered (1)",
    ]


def test_records_are_named_by_mrn_and_nobody_by_name(auditor):
    patient = registered("Featherstone")
    open_patient(None, patient.pk, channel="command")
    before = AccessRecord.objects.count()
    page = auditor.get("/audit/").content.decode()
    assert f'href="/patients/{patient.pk}/" data-stop>{patient.mrn}</a>' in page
    assert "featherstone" not in page.lower()
    assert AccessRecord.objects.count() == before


def test_every_row_names_its_channel_and_its_request(auditor, client, front_desk):
    patient = registered("Able")
    client.force_login(front_desk)
    answer = client.get(f"/patients/{patient.pk}/")
    client.post(f"/patients/{patient.pk}/archive/", {"version": "1"})
    client.force_login(type(front_desk).objects.get(full_name="Ada Auditor"))
    entries = client.get("/audit/").context["page"].rows
    read, written = (next(entry for entry in entries if entry.kind == kind) for kind in "rw")
    assert (read.channel, read.request_id) == ("portal", answer["X-Request-Id"])
    assert (written.channel, written.route) == ("portal", "patients/<uuid:patient_id>/archive/")
    assert len(written.request_id) == 32


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("action=open", ["Desk: Opened the record (1)"]),
        ("action=insert", ["The system: Registered (1)", "Desk: Registered (1)"]),
        ("kind=r", ["Desk: Saw in a list (2)", "Desk: Opened the record (1)"]),
        ("kind=w", ["The system: Registered (1)", "Desk: Registered (1)"]),
        ("door=api", ["Desk: Saw in a list (2)"]),
        ("door=sql", ["The system: Registered (1)"]),
        ("person=0", ["The system: Registered (1)"]),
        ("person={desk}&kind=w", ["Desk: Registered (1)"]),
        (
            "patient={mrn}",
            ["Desk: Saw in a list (2)", "Desk: Opened the record (1)", "Desk: Registered (1)"],
        ),
        (
            "patient=http://portal/patients/{id}/history/&kind=r&action=open",
            ["Desk: Opened the record (1)"],
        ),
        ("door=admin", []),
    ],
)
def test_each_filter_narrows(auditor, make_user, query, expected):
    desk = make_user("front desk", full_name="Desk")
    # The first row: the context of a change would stay for the rest of the transaction.
    by_sql = Patient.objects.create(family_name="Baker")
    patient = registered("Able", desk)
    record_access(desk, [patient.pk], action="open", channel="portal")
    record_access(desk, [patient.pk, by_sql.pk], action="list", channel="api")
    entries = shown(auditor, "?" + query.format(desk=desk.pk, mrn=patient.mrn, id=patient.pk))
    assert sorted(entries) == sorted(expected)


def test_a_week_is_shown_at_first_and_other_periods_are_links(auditor):
    patient = registered("Able")
    for days in (0, 3, 20, 400):
        read_at(days, patient)
    periods = auditor.get("/audit/").context["periods"]
    assert [period["label"] for period in periods if period["is_current"]] == ["7 days"]
    counts = {
        period["label"]: len(shown(auditor, f"?kind=r&{period['query']}")) for period in periods
    }
    assert counts == {"Today": 1, "7 days": 2, "30 days": 3, "All": 4}


def test_days_are_the_clinics_and_the_last_one_is_included(auditor, settings):
    settings.TIME_ZONE = "Asia/Tokyo"
    patient = registered("Able")
    record_access(None, [patient.pk], action="open", channel="api")
    last_second_of_the_4th_in_tokyo = "2026-03-04 14:59:59+00:00"
    AccessRecord.objects.update(at=last_second_of_the_4th_in_tokyo)
    assert len(shown(auditor, "?kind=r&since=2026-03-04&until=2026-03-04")) == 1
    assert shown(auditor, "?kind=r&since=5+mar+2026&until=3/5/26") == []


def test_every_row_stands_on_exactly_one_page(auditor, monkeypatch):
    monkeypatch.setattr("portal.audit.views.PAGE_SIZE", 3)
    patients = [registered(name) for name in ("Able", "Baker", "Charlie", "Delta")]
    for patient in patients:
        record_access(None, [patient.pk], action="open", channel="api")
    moment = PatientEvent.objects.values_list("pgh_created_at", flat=True).first()
    AccessRecord.objects.update(at=moment)  # Eight rows of one moment, of both kinds.
    seen, query = [], "since="
    while query:
        context = auditor.get(f"/audit/?{query}").context
        seen += [(entry.kind, entry.id) for entry in context["page"].rows]
        query = context["next_query"]
    assert len(seen) == len(set(seen)) == 8
    assert [kind for kind, _ in seen] == ["w"] * 4 + ["r"] * 4


def test_a_long_list_shows_how_many_and_opens_in_its_place(auditor):
    patients = [registered(name) for name in ("Able", "Baker", "Charlie", "Delta", "Echo")]
    record_access(None, [patient.pk for patient in patients], action="list", channel="api")
    record = AccessRecord.objects.get()
    page = auditor.get("/audit/?kind=r").content.decode()
    assert "5 patients" in page
    assert patients[4].mrn not in page
    for headers in ({}, {"HX-Request": "true"}):
        answer = auditor.get(f"/audit/{record.pk}/", headers=headers).content.decode()
        assert [patient.mrn for patient in patients if patient.mrn not in answer] == []
        assert ("<html" in answer) is not bool(headers)
    page = auditor.get(f"/audit/?kind=r&patient={patients[4].mrn}").content.decode()
    assert patients[4].mrn in page
    assert "and 4 more" in page


def test_an_erased_patient_is_still_known_by_mrn(auditor):
    patient = registered("Able")
    open_patient(None, patient.pk, channel="api")
    mrn = patient.mrn
    Patient.objects.filter(pk=patient.pk).delete()
    assert "The system: Erased (1)" in shown(auditor)
    assert len(shown(auditor, f"?patient={mrn}")) == 3


@pytest.mark.parametrize(
    ("query", "field", "words"),
    [
        ("patient=12345678", "patient", "No patient has or had this MRN."),
        ("patient=Jane+Smith", "patient", "No patient has or had this MRN."),
        ("since=30+feb+2026", "since", "there is no such day"),
        ("until=9999-12-31", "until", "there is no such day"),
        ("since=2026-03-04&until=2026-03-01", "until", "before the first one"),
        ("person=99999", "person", "Select a valid choice"),
    ],
)
def test_a_wrong_filter_is_explained_and_what_was_typed_is_kept(auditor, query, field, words):
    for place in ("/audit/", "/audit/export/"):
        answer = auditor.get(f"{place}?{query}")
        page = answer.content.decode()
        assert answer.status_code == 422
        assert words in str(answer.context["form"].errors[field])
        assert "There is a problem" in page
        assert "<title>Error: Audit" in page
    assert not AccessRecord.objects.exists()


@pytest.mark.parametrize(
    "cursor", ["nonsense", "12.x7", "12.r", "12.r²", f"{10**22}.r1", f"12.r{'9' * 5000}"]
)
def test_a_text_that_is_no_cursor_is_refused(auditor, cursor):
    answer = auditor.get(f"/audit/?after={cursor}")
    assert answer.status_code == 400
    assert "This cursor is not one of ours." in answer.content.decode()


@pytest.mark.parametrize("role", ["front desk", "clinician", "billing", "analyst"])
def test_only_auditors_and_operators_see_the_audit(client, make_user, role):
    registered("Able")
    record_access(None, [Patient.objects.get().pk], action="open", channel="api")
    client.force_login(make_user(role))
    for address in ("/audit/", "/audit/export/", f"/audit/{AccessRecord.objects.get().pk}/"):
        assert client.get(address).status_code == 403


def test_a_page_needs_few_database_queries_however_long_it_is(db, django_assert_max_num_queries):
    for number in range(30):
        patient = registered(f"Able{number}")
        services.change_patient(patient.pk, {"city": "Leeds"}, by=None, source="api")
        record_access(None, [patient.pk], action="open", channel="api")
    with django_assert_max_num_queries(6):
        assert len(audit_page(None, AuditQuery()).rows) == 50
