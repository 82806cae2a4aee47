"""Addresses of sign-in, for people and for programs."""

from django.urls import path

from portal.accounts import api, views

app_name = "accounts"

urlpatterns = [
    path("sign-in/", views.sign_in, name="sign-in"),
    path("sign-in/ended/", views.ended, name="ended"),
    path("session/", views.session, name="session"),
    path("profile/", views.profile, name="profile"),
    path("profile/keys/", views.change_keys, name="keys"),
    path("profile/password/", views.change_password, name="password"),
    path("profile/sign-ins/", views.end_session, name="end-session"),
    path("sign-out/", views.sign_out, name="sign-out"),
    path("auth/login", api.Login.as_view(), name="login"),
    path("auth/validate", api.Validate.as_view(), name="validate"),
    path("auth/refresh", api.Refresh.as_view(), name="refresh"),
    path("auth/logout", api.Logout.as_view(), name="logout"),
]
