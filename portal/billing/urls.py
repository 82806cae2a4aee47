"""The addresses of billing."""

from django.urls import path

from portal.billing import views

app_name = "billing"

urlpatterns = [
    path("billing/", views.index, name="list"),
    path("billing/states/", views.states, name="states"),
    path("billing/retry/", views.retry_many, name="retry-many"),
    path("patients/<uuid:patient_id>/billing/", views.account, name="account"),
    path("patients/<uuid:patient_id>/billing/retry/", views.retry, name="retry"),
]
