"""Addresses of imports."""

from django.urls import path

from portal.imports.views import columns, export, job, listing, profiles, review

app_name = "imports"

urlpatterns = [
    path("imports/", listing.index, name="list"),
    path("imports/upload/", listing.upload, name="upload"),
    path("imports/columns/", profiles.profiles, name="profiles"),
    path("imports/columns/<int:profile_id>/rename/", profiles.rename, name="rename-profile"),
    path("imports/columns/<int:profile_id>/delete/", profiles.delete, name="delete-profile"),
    path("imports/<uuid:job_id>/", job.show, name="show"),
    path("imports/<uuid:job_id>/columns/", columns.columns, name="columns"),
    path("imports/<uuid:job_id>/encoding/", columns.encoding, name="encoding"),
    path("imports/<uuid:job_id>/review/", review.review, name="review"),
    path("imports/<uuid:job_id>/review/<slug:doubt>/", review.review, name="review"),
    path("imports/<uuid:job_id>/review/<slug:doubt>/rest/", review.rest, name="review-rest"),
    path("imports/<uuid:job_id>/rejects.csv", job.rejects, name="rejects"),
    path("imports/<uuid:job_id>/changes.csv", job.changes, name="changes"),
    path("imports/<uuid:job_id>/commit/", job.apply, name="apply"),
    path("imports/<uuid:job_id>/undo/", job.undo, name="undo"),
    path("patients/export.csv", export.export, {"kind": "csv"}, name="export-csv"),
    path("patients/export.ndjson", export.export, {"kind": "ndjson"}, name="export-ndjson"),
]
