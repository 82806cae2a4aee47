"""Addresses of billing."""

from django.urls import path

from portal.billing import views

app_name = "billing"

urlpatterns = [
    path("patients/<uuid:patient_id>/billing/", views.account, name="account"),
    path("patients/<uuid:patient_id>/billing/retry/", views.retry, name="retry"),
]
