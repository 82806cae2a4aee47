"""Addresses of duplicates, for the pages and for the API."""

from django.urls import path

from portal.duplicates import api
from portal.duplicates.views import merge, worklist

app_name = "duplicates"

urlpatterns = [
    path("patients/duplicates/", worklist.show_worklist, name="worklist"),
    path("patients/duplicates/find/", worklist.find_duplicates, name="find"),
    path("patients/duplicates/<int:pair_id>/two-people/", worklist.dismiss, name="dismiss"),
    path("patients/duplicates/<int:pair_id>/put-back/", worklist.reopen, name="reopen"),
    path("patients/<uuid:patient_id>/merge/", merge.choose_record, name="choose"),
    path("patients/<uuid:patient_id>/merge/<uuid:other_id>/", merge.merge_records, name="merge"),
    path("patients/<uuid:patient_id>/unmerge/", merge.undo_merge, name="unmerge"),
    path("api/patients/<uuid:patient_id>/merge", api.Merge.as_view(), name="api-merge"),
    path("api/patients/<uuid:patient_id>/unmerge", api.Unmerge.as_view(), name="api-unmerge"),
]
