"""Users of each role, clients that are signed in as them, and a web server of its own process."""

import os
from urllib.parse import urlsplit

import pytest
from django.contrib.auth.models import Group
from django.db import connection
from rest_framework.test import APIClient

from portal.accounts.models import User
from tests.portal.plain_client import token_of
from tests.portal.web_server import running_web_server

PASSWORD = "correct-horse-battery"


@pytest.fixture(autouse=True)
def _quick_passwords(settings):
    """Replaces Argon2, which is slow on purpose."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture
def make_user(db):
    """Makes a user of a role: `make_user("front desk")`."""

    def make(role: str, **fields) -> User:
        email = f"{role.replace(' ', '')}@clinic.example"
        user = User.objects.create_user(email, PASSWORD, **fields)
        user.groups.add(Group.objects.get(name=role))
        return user

    return make


@pytest.fixture
def front_desk(make_user):
    return make_user("front desk")


@pytest.fixture
def api_as():
    """Makes an API client that holds an access token of a user."""

    def client(user: User) -> APIClient:
        api = APIClient()
        answer = api.post("/auth/login", {"email": user.email, "password": PASSWORD}, format="json")
        api.credentials(HTTP_AUTHORIZATION=f"Bearer {answer.json()['token']}")
        return api

    return client


@pytest.fixture
def desk_api(api_as, front_desk):
    return api_as(front_desk)


@pytest.fixture(scope="module")
def server(django_db_setup, django_db_blocker, tmp_path_factory):
    with django_db_blocker.unblock():
        name = connection.settings_dict["NAME"]
    url = urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{name}").geturl()
    folder = tmp_path_factory.mktemp("web")
    with running_web_server(folder, DATABASE_URL=url, TRUSTED_PROXIES="127.0.0.1") as server:
        yield server


@pytest.fixture
def token(front_desk):
    return token_of(front_desk)
