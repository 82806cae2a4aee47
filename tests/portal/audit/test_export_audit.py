"""The audit as a file: every matching row, no formula, and an access record of its own."""

import csv
import io

import pytest

from portal.audit import selectors
from portal.audit.csv_export import HEADER
from portal.patients import services
from portal.patients.audit import record_access
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
    return list(csv.DictReader(io.StringIO(b"".join(answer).decode("utf-8-sig"))))


def test_the_file_has_every_row_and_every_patient_of_it(auditor, monkeypatch):
    monkeypatch.setattr(selectors, "CHUNK_ROWS", 2)
    patients = [registered(name) for name in ("Able", "Baker", "Charlie", "Delta", "Echo")]
    record_access(None, [patient.pk for patient in patients], action="list", channel="api")
    found = rows(auditor, "since=")
    assert list(found[0]) == HEADER
    assert [row["what"] for row in found] == [
        "Exported the audit",
        "Saw in a list",
        *["Registered"] * 5,
    ]
    assert found[1]["mrns"].split() == [patient.mrn for patient in patients]
    assert found[1]["patient_count"] == "5"
    assert found[0]["at"].endswith("+00:00")


def test_the_file_follows_the_filter(auditor):
    able, baker = registered("Able"), registered("Baker")
    for patient in (able, baker):
        record_access(None, [patient.pk], action="open", channel="api")
    found = rows(auditor, f"patient={baker.mrn}&kind=r&action=open")
    assert [row["mrns"] for row in found] == [baker.mrn]


def test_the_export_itself_is_recorded(auditor):
    patient = registered("Able")
    rows(auditor, f"patient={patient.mrn}")
    rows(auditor)
    exports = AccessRecord.objects.order_by("id")
    assert list(exports.values_list("action", "door", "patient_ids")) == [
        ("audit", "portal", [patient.pk]),
        ("audit", "portal", []),
    ]
    assert all(record.user for record in exports)


def test_no_cell_is_a_formula(auditor):
    found = rows(auditor)
    assert found[0]["who"] == '\'=HYPERLINK("x")'
