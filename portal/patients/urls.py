"""Addresses of patients, for people and for programs."""

from django.urls import path

from portal.patients import api, merge_api, views

app_name = "patients"

urlpatterns = [
    path("patients/", views.index, name="list"),
    path("patients/suggest/", views.suggest, name="suggest"),
    path("patients/new/", views.register, name="register"),
    path("patients/similar/", views.similar, name="similar"),
    path("patients/<uuid:patient_id>/understood/", views.understood, name="understood"),
    path("patients/duplicates/", views.duplicates, name="duplicates"),
    path("patients/duplicates/find/", views.find, name="find-duplicates"),
    path("patients/duplicates/<int:pair_id>/two-people/", views.two_people, name="two-people"),
    path("patients/duplicates/<int:pair_id>/put-back/", views.one_again, name="one-again"),
    path("patients/<uuid:patient_id>/", views.show, name="show"),
    path("patients/<uuid:patient_id>/edit/", views.edit, name="edit"),
    path("patients/<uuid:patient_id>/archive/", views.archive, name="archive"),
    path("patients/<uuid:patient_id>/restore/", views.restore, name="restore"),
    path("patients/<uuid:patient_id>/undo/", views.undo, name="undo"),
    path("patients/<uuid:patient_id>/merge/", views.choose, name="merge-with"),
    path("patients/<uuid:patient_id>/merge/<uuid:other_id>/", views.merge, name="merge"),
    path("patients/<uuid:patient_id>/unmerge/", views.unmerge, name="unmerge"),
    path("patients/<uuid:patient_id>/history/", views.history, name="history"),
    path("patients/<uuid:patient_id>/history/as-it-was/", views.as_it_was, name="as-it-was"),
    path("patients/<uuid:patient_id>/timeline/", views.timeline, name="timeline"),
    path("patients/<uuid:patient_id>/identifiers/", views.identifiers, name="identifiers"),
    path("patients/<uuid:patient_id>/access/", views.access, name="access"),
    path("patients/<uuid:patient_id>/label/", views.label, name="label"),
    path("patients/<uuid:patient_id>/tags/", views.tags, name="tags"),
    path("api/patients", api.Patients.as_view(), name="api-list"),
    path("api/patients/<uuid:patient_id>", api.OnePatient.as_view(), name="api-one"),
    path("api/patients/<uuid:patient_id>/merge", merge_api.Merge.as_view(), name="api-merge"),
    path("api/patients/<uuid:patient_id>/unmerge", merge_api.Unmerge.as_view(), name="api-unmerge"),
    path("api/patients/<uuid:patient_id>/history", api.History.as_view(), name="api-history"),
]
