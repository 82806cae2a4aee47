"""The start page."""

from django.urls import path

from portal.staff import views

app_name = "staff"

urlpatterns = [path("", views.home, name="home")]
