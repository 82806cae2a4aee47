"""Every page that a role may open is accessible, on a desk, at 200 % and on a phone."""

from datetime import date

import pytest
from django.core.files.base import File
from django.utils import timezone

from portal.accounts.roles import ROLES
from portal.duplicates.services import dismiss_pair
from portal.imports.models import Doubt, MappingProfile
from portal.imports.services import run_job, start_import
from portal.patients.audit import record_access
from portal.patients.models import AccessRecord
from portal.patients.services import change_patient, register_patient
from portal.reconciliation.models import ReconcileReport
from tests.browser.addresses import pages_open_to

ANN = {
    "family_name": "Able",
    "given_name": "Ann",
    "date_of_birth": date(1990, 1, 1),
    "sex": "female",
}
ANNA = {
    "family_name": "Able",
    "given_name": "Anna",
    "date_of_birth": date(1990, 1, 1),
    "phone": "617 555 0101",
}
ROWS = """family_name,given_name,date_of_birth,sex,city
Able,Ann,1990-01-01,female,York
Baker,Ben,30-02-1990,male,
"""
WIDTHS = (1280, 640, 320)  # 640 px are 1280 px at 200 %.
MIN_PAGES = 3  # Profile, keys and dashboard: with fewer the search for pages would be at fault.


@pytest.fixture
def examples(db, settings, tmp_path):
    """An object of each kind that an address can name."""
    settings.DATA_DIR = tmp_path
    made = register_patient(ANN, by=None, source="portal")
    patient = change_patient(made.pk, {"phone": "617 555 0100"}, by=None, source="portal")
    other = register_patient({**ANN, "given_name": "Andrew"}, by=None, source="portal")
    record_access(None, [patient.pk], action="list", channel="portal")
    path = tmp_path / "people.csv"
    path.write_text(ROWS)
    with path.open("rb") as file:
        job = start_import(File(file, path.name), by=None, dry_run=True)
    run_job(job.pk)
    now = timezone.now()
    return {
        "patient_id": patient.pk,
        "other_id": register_patient(ANNA, by=None, source="portal").pk,
        "pair_id": dismiss_pair(patient.pk, other.pk, by=None, reason="Twins").pk,
        "job_id": job.pk,
        "doubt": Doubt.SAME_NAME_AND_BIRTH,
        "profile_id": MappingProfile.objects.create(name="Old system", columns={}, by=None).pk,
        "record_id": AccessRecord.objects.latest("id").pk,
        "report_id": ReconcileReport.objects.create(
            status="agrees", figures={"stores": [], "byKind": {}}, started_at=now, finished_at=now
        ).pk,
    }


@pytest.mark.parametrize("role", ROLES)
def test_every_page_of_a_role_is_accessible(staff, make_user, examples, role):
    """Red when axe finds something, or when a page is wider than its screen."""
    user = make_user(role)
    addresses = pages_open_to(user, examples)
    assert len(addresses) >= MIN_PAGES
    person = staff(user)
    for address in addresses:
        person.open(address)
        for width in WIDTHS if role == "operator" else WIDTHS[-1:]:
            person.page.set_viewport_size({"width": width, "height": 800})
            person.is_readable_by_all()
