"""Addresses of duplicates, for people and for programs."""

from django.urls import path

from portal.duplicates import api
from portal.duplicates.views import merge, worklist

app_name = "duplicates"

urlpatterns = [
    path("patients/duplicates/", worklist.duplicates, name="worklist"),
    path("patients/duplicates/find/", worklist.find, name="find"),
    path("patients/duplicates/<int:pair_id>/two-people/", worklist.two_people, name="dismiss"),
    path("patients/duplicates/<int:pair_id>/put-back/", worklist.one_again, name="reopen"),
    path("patients/<uuid:patient_id>/merge/", merge.choose, name="choose"),
    path("patients/<uuid:patient_id>/merge/<uuid:other_id>/", merge.merge, name="merge"),
    path("patients/<uuid:patient_id>/unmerge/", merge.unmerge, name="unmerge"),
    path("api/patients/<uuid:patient_id>/merge", api.Merge.as_view(), name="api-merge"),
    path("api/patients/<uuid:patient_id>/unmerge", api.Unmerge.as_view(), name="api-unmerge"),
]
