"""The start page and the page of keys."""

from django.urls import path

from portal.staff import views

app_name = "staff"

urlpatterns = [
    path("", views.home, name="home"),
    path("palette/recent/", views.recent, name="recent"),
    path("help/keys/", views.keys, name="keys"),
]
