"""Addresses of patients, for people and for programs."""

app_name = "patients"

urlpatterns: list = []
