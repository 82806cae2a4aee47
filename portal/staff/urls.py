"""Addresses of the start page, the page of keys, the icon, and the palette's recent patients."""

from django.urls import path

from portal.staff import views

app_name = "staff"

urlpatterns = [
    path("", views.home, name="home"),
    path("favicon.ico", views.icon, name="icon"),
    path("palette/recent/", views.recent, name="recent"),
    path("help/keys/", views.keys, name="keys"),
]
