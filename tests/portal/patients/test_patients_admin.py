"""The admin saves through the services, records access, and deletes no patient."""

import pytest
from django.conf import settings
from django.utils.formats import get_format
from django.utils.timezone import localtime

from portal.formats.en.formats import date_input_formats
from portal.patients.models import AccessRecord, Patient, PatientEvent

pytestmark = pytest.mark.django_db
JANE = {
    "family_name": "Example",
    "given_name": "Jane",
    "date_of_birth": "1984-03-15",
    "date_of_birth_precision": "day",
    "sex": "female",
    "registered_on": "2024-01-31",
    "identifiers-TOTAL_FORMS": "0",
    "identifiers-INITIAL_FORMS": "0",
}


@pytest.fixture
def admin(client, make_user):
    client.force_login(make_user("operator", is_staff=True))
    return client


def test_adding_and_changing_leave_one_event_each_with_the_operator(admin):
    assert admin.post("/admin/patients/patient/add/", JANE).status_code == 302
    patient = Patient.objects.get()
    assert (
        admin.post(
            f"/admin/patients/patient/{patient.pk}/change/", {**JANE, "city": "Leeds"}
        ).status_code
        == 302
    )
    events = PatientEvent.objects.order_by("pgh_id")
    assert [(e.version, e.city, e.pgh_context["source"], e.source) for e in events] == [
        (1, "", "admin", "admin"),
        (2, "Leeds", "admin", "admin"),
    ]
    assert all(event.pgh_context["user"] for event in events)


def test_wrong_fields_are_shown_beside_the_fields(admin):
    page = admin.post(
        "/admin/patients/patient/add/", {**JANE, "country": "U1", "date_of_birth": "2999-01-01"}
    )
    assert b"two letters" in page.content
    assert b"must be today or in the past" in page.content
    assert not Patient.objects.exists()


def test_searching_knows_names_and_readings_are_recorded(admin):
    patient = Patient.objects.create(family_name="Müller", given_name="Eva")
    page = admin.get("/admin/patients/patient/?q=muller+ev")
    assert patient.mrn.encode() in page.content
    admin.get(f"/admin/patients/patient/{patient.pk}/change/")
    assert set(AccessRecord.objects.values_list("action", "door")) == {
        ("list", "admin"),
        ("open", "admin"),
    }


def test_nobody_is_deleted_here(admin):
    patient = Patient.objects.create(family_name="Example")
    assert (
        admin.post(f"/admin/patients/patient/{patient.pk}/delete/", {"post": "yes"}).status_code
        == 403
    )


def test_archiving_and_restoring_are_actions(admin):
    patient = Patient.objects.create(family_name="Example")
    for action, status in (("archive", "archived"), ("restore", "active")):
        data = {"action": action, "_selected_action": [str(patient.pk)]}
        page = admin.post("/admin/patients/patient/", data, follow=True).content.decode()
        assert f"1 of 1 patient(s) {action}d." in page
        patient.refresh_from_db()
        assert patient.status == status


@pytest.mark.parametrize(
    "model",
    [
        "patients/patientevent",
        "patients/eventoutbox",
        "patients/accessrecord",
        "billing/billingaccount",
        "events/quarantinedevent",
        "events/relaylease",
        "imports/importjob",
        "accounts/user",
        "accounts/refreshtoken",
        "auth/group",
    ],
)
def test_operators_see_every_list(admin, model):
    Patient.objects.create(family_name="Example")
    assert admin.get(f"/admin/{model}/").status_code == 200


@pytest.mark.parametrize("model", ["patients/patientevent", "patients/accessrecord"])
def test_the_audit_is_read_only(admin, model):
    assert admin.get(f"/admin/{model}/add/").status_code == 403


def test_an_operator_cannot_make_a_superuser(admin):
    page = admin.get("/admin/accounts/user/add/")
    assert b"is_superuser" not in page.content


@pytest.mark.parametrize(("order", "numeric"), [("DMY", "%d/%m/%Y"), ("MDY", "%m/%d/%Y")])
def test_the_admin_reads_dates_in_the_order_of_the_clinic(order, numeric):
    read = date_input_formats(order)
    assert numeric in read
    assert len({"%d/%m/%Y", "%m/%d/%Y"}.intersection(read)) == 1
    assert get_format("DATE_INPUT_FORMATS") == date_input_formats(settings.DATE_ORDER)
    assert get_format("DATETIME_FORMAT") == "d-M-Y H:i"


def test_the_log_and_the_access_log_have_columns_that_operators_know(admin):
    admin.post("/admin/patients/patient/add/", JANE)
    event = PatientEvent.objects.get()
    for address in ("", f"{event.pgh_id}/change/"):
        page = admin.get(f"/admin/patients/patientevent/{address}").content.decode()
        assert "Pgh" not in page
        assert "Context" in page
        assert f"{localtime(event.pgh_created_at):%d-%b-%Y %H:%M}<" in page
    assert f'href="/admin/patients/patient/{event.pgh_obj_id}/change/"' in page
    heads = admin.get("/admin/patients/accessrecord/").content.decode()
    assert "Channel" in heads
