"""Addresses of imports."""

from django.urls import path

from portal.imports import views

app_name = "imports"

urlpatterns = [
    path("imports/", views.index, name="list"),
    path("imports/upload/", views.upload, name="upload"),
    path("imports/<uuid:job_id>/", views.show, name="show"),
    path("imports/<uuid:job_id>/rejects.csv", views.rejects, name="rejects"),
    path("imports/<uuid:job_id>/commit/", views.commit, name="commit"),
    path("imports/<uuid:job_id>/undo/", views.undo, name="undo"),
]
