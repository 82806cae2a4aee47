"""The start page, the page of keys, and the icon for who asks at the usual address."""

from django.urls import path

from portal.staff import views

app_name = "staff"

urlpatterns = [
    path("", views.home, name="home"),
    path("favicon.ico", views.icon, name="icon"),
    path("palette/recent/", views.recent, name="recent"),
    path("help/keys/", views.keys, name="keys"),
]
