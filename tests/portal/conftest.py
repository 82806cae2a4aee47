"""Users of each role, and clients that are signed in as them."""

import pytest
from django.contrib.auth.models import Group
from rest_framework.test import APIClient

from portal.accounts.models import User

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
