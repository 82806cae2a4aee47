"""Addresses of sign-in, session and profile, and of tokens for programs."""

from django.urls import path

from portal.accounts import api
from portal.accounts.views import authentication, profile, session

app_name = "accounts"

urlpatterns = [
    path("sign-in/", authentication.sign_in, name="sign-in"),
    path("sign-in/ended/", session.end, name="ended"),
    path("session/", session.remaining, name="session"),
    path("profile/", profile.show, name="profile"),
    path("profile/keys/", profile.change_keys, name="keys"),
    path("profile/password/", profile.change_password, name="password"),
    path("profile/sign-ins/", profile.end_sign_in, name="end-session"),
    path("sign-out/", authentication.sign_out, name="sign-out"),
    path("auth/login", api.Login.as_view(), name="login"),
    path("auth/validate", api.Validate.as_view(), name="validate"),
    path("auth/refresh", api.Refresh.as_view(), name="refresh"),
    path("auth/logout", api.Logout.as_view(), name="logout"),
]
