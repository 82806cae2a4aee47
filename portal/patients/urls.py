"""The addresses of patients: pages, then the REST API."""

from django.urls import path

from portal.patients import api
from portal.patients.views import access, editing, history, listing, reading, registering

app_name = "patients"

urlpatterns = [
    path("patients/", listing.index, name="list"),
    path("patients/suggest/", listing.suggest, name="suggest"),
    path("patients/new/", registering.register, name="register"),
    path("patients/similar/", registering.similar, name="similar"),
    path("patients/<uuid:patient_id>/understood/", editing.edit_similar, name="edit-similar"),
    path("patients/<uuid:patient_id>/", reading.show, name="show"),
    path("patients/<uuid:patient_id>/edit/", editing.edit, name="edit"),
    path("patients/<uuid:patient_id>/archive/", editing.archive, name="archive"),
    path("patients/<uuid:patient_id>/restore/", editing.restore, name="restore"),
    path("patients/<uuid:patient_id>/undo/", history.undo, name="undo"),
    path("patients/<uuid:patient_id>/history/", history.history, name="history"),
    path("patients/<uuid:patient_id>/history/as-it-was/", history.as_it_was, name="as-it-was"),
    path("patients/<uuid:patient_id>/timeline/", history.timeline, name="timeline"),
    path("patients/<uuid:patient_id>/identifiers/", reading.identifiers, name="identifiers"),
    path("patients/<uuid:patient_id>/access/", access.access, name="access"),
    path("patients/<uuid:patient_id>/label/", reading.label, name="label"),
    path("patients/<uuid:patient_id>/tags/", reading.tags, name="tags"),
    path("api/patients", api.Patients.as_view(), name="api-list"),
    path("api/patients/<uuid:patient_id>", api.OnePatient.as_view(), name="api-one"),
    path("api/patients/<uuid:patient_id>/history", api.History.as_view(), name="api-history"),
]
