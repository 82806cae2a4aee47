"""The trail as a file: all of what is asked for, no formula, in bounded memory, and recorded itself."""

import csv
import io

import pytest

from portal.audit import selectors
from portal.audit.csv_export import HEADER
from portal.patients import services
from portal.patients.audit import record_reading
from portal.patients.models import AccessRecord

pytestmark = pytest.mark.django_db


@pytest.fixture
def auditor(client, make_user):
    client.force_login(make_user("auditor", full_name='=HYPERLINK("x")'))
    return client


def registered(name: str):
    return services.register_patient({"family_name": name}, by=None, source="portal")


def rows(client, query: str = "") -> list[dict[str, str]]:
    answer = client.get(f"/audit/export/?{query}")
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    assert "attachment" in answer["Content-Disposition"]
    return list(csv.DictReader(io.StringIO(b"".join(answer).decode())))


def test_the_file_has_every_row_and_every_patient_of_it(auditor, monkeypatch):
    monkeypatch.setattr(selectors, "CHUNK", 2)
    patients = [registered(name) for name in ("Able", "Baker", "Charlie", "Delta", "Echo")]
    record_reading(None, [one.pk for one in patients], action="list", channel="api")
    found = rows(auditor, "since=")
    assert list(found[0]) == HEADER
    assert [one["what"] for one in found] == [
        "Exported the audit",
        "Saw in a list",
        *["Registered"] * 5,
    ]
    assert found[1]["mrns"].split() == [one.mrn for one in patients]
    assert found[1]["patient_count"] == "5"
    assert found[0]["at"].endswith("+00:00")


def test_the_file_follows_the_filter(auditor):
    able, baker = registered("Able"), registered("Baker")
    for patient in (able, baker):
        record_reading(None, [patient.pk], action="open", channel="api")
    found = rows(auditor, f"patient={baker.mrn}&kind=r&action=open")
    assert [one["mrns"] for one in found] == [baker.mrn]


def test_that_it_was_taken_is_recorded(auditor):
    patient = registered("Able")
    rows(auditor, f"patient={patient.mrn}")
    rows(auditor)
    taken = AccessRecord.objects.order_by("id").values_list(
        "action", "door", "patient_ids", "user__full_name"
    )
    assert [(a, d, p, bool(u)) for a, d, p, u in taken] == [
        ("audit", "portal", [patient.pk], True),
        ("audit", "portal", [], True),
    ]


def test_no_cell_is_a_formula(auditor):
    found = rows(auditor)
    assert found[0]["who"] == '\'=HYPERLINK("x")'
