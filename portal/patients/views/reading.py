"""One patient's pages to read: overview, identifiers, label, and the tags in the banner."""

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from portal.accounts.polling import polled
from portal.accounts.rules import allow, user_of
from portal.patients.extensions import notices_for
from portal.patients.fields import Section, fields_on_pages
from portal.patients.forms.fields import column_label
from portal.patients.history.merges import merged_records
from portal.patients.history.wording import field_text
from portal.patients.models import Patient, Source
from portal.patients.reference.barcode import code128
from portal.patients.selectors import no_such_patient, open_patient, patients_visible_to
from portal.patients.views.layout import extension_tags, patient_layout

# The overview says "Not recorded" where one of these is empty; it leaves out other empty fields.
EXPECTED_FIELDS = {
    "family_name",
    "given_name",
    "date_of_birth",
    "sex",
    "language",
    "phone",
    "email",
}


@allow("patients.view_patient")
@require_safe
def show(request: HttpRequest, patient_id: UUID) -> HttpResponse:
    """Shows the overview: the person, contact, identifiers and the record itself."""
    patient = open_patient(user_of(request), patient_id, channel=Source.PORTAL)
    context = {
        **patient_layout(request, patient, tab="patients:show"),
        "is_new": "registered" in request.GET,
        "person_fields": _overview_fields(patient, Section.NAME, Section.PERSON),
        "contact_fields": _overview_fields(patient, Section.CONTACT),
        "notices": notices_for(user_of(request), patient),
        "merged_records": merged_records(patient),
    }
    return render(request, "patients/show.html", context)


def _overview_fields(patient: Patient, *sections: Section) -> list[dict[str, str]]:
    """Returns the fields of these sections that have a value, or that staff expect to see.

    The address is one text, and the day of registration stands with the record.
    """
    shown = []
    for field in fields_on_pages():
        is_elsewhere = field.choice == "address" or field.name == "registered_on"
        if field.section not in sections or is_elsewhere:
            continue
        value = getattr(patient, field.name)
        if value or field.name in EXPECTED_FIELDS:
            text = field_text(field.name, str(value)) if value else ""
            shown.append({"name": field.name, "label": column_label(field.name), "text": text})
    return shown


@allow("patients.view_patient")
@require_safe
def identifiers(request: HttpRequest, patient_id: UUID) -> HttpResponse:
    """Shows all numbers that the patient is known by, the MRN first."""
    patient = open_patient(
        user_of(request), patient_id, channel=Source.PORTAL, action="identifiers"
    )
    layout = patient_layout(request, patient, tab="patients:identifiers")
    context = {**layout, "today": timezone.localdate()}
    return render(request, "patients/identifiers.html", context)


@allow("patients.view_patient")
@require_safe
def label(request: HttpRequest, patient_id: UUID) -> HttpResponse:
    """Shows the label for a file or a tube, and prints nothing else."""
    patient = open_patient(user_of(request), patient_id, channel=Source.PORTAL, action="label")
    context = {**patient_layout(request, patient, tab=""), "bars": code128(patient.mrn)}
    return render(request, "patients/label.html", context)


@polled
@allow("patients.view_patient")
@require_safe
def tags(request: HttpRequest, patient_id: UUID) -> HttpResponse:
    """Shows the tags alone; the banner polls them while one is pending. They name no patient."""
    patient = patients_visible_to(user_of(request)).only("pk").filter(pk=patient_id).first()
    if patient is None:
        raise no_such_patient(patient_id)
    context = {"patient": patient, "tags": extension_tags(request, patient)}
    return render(request, "patients/tags.html", context)
