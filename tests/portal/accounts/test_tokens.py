"""The API of tokens: one answer for every wrong pair, rotation, reuse, and what ends a token."""

import pytest
from rest_framework.test import APIClient

from portal.accounts.models import RefreshToken
from tests.portal.conftest import PASSWORD

pytestmark = pytest.mark.django_db
PROBLEM = "application/problem+json"


def login(api, email="frontdesk@clinic.example", password=PASSWORD):
    return api.post("/auth/login", {"email": email, "password": password}, format="json")


@pytest.fixture
def api(client, front_desk):
    return APIClient()


def test_a_right_pair_gives_both_tokens(api):
    answer = login(api, email="FrontDesk@clinic.example")
    assert answer.status_code == 200
    assert set(answer.json()) == {"token", "refresh", "expiresIn"}
    bearer = {"HTTP_AUTHORIZATION": f"Bearer {answer.json()['token']}"}
    assert api.get("/auth/validate", **bearer).status_code == 200


def test_an_unknown_user_and_a_wrong_password_get_the_same_answer(api):
    unknown, wrong = (
        login(api, email="nobody@clinic.example").json(),
        login(api, password="wrong").json(),
    )
    assert unknown["status"] == wrong["status"] == 401
    assert {**unknown, "requestId": ""} == {**wrong, "requestId": ""}


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer x.y.z", "Basic eHg6eQ=="])
def test_validate_refuses_anything_but_a_good_token(api, header):
    answer = api.get("/auth/validate", HTTP_AUTHORIZATION=header)
    assert answer.status_code == 401
    assert answer["Content-Type"] == PROBLEM


def test_a_refresh_token_works_once_and_reuse_ends_its_family(api):
    first = login(api).json()["refresh"]
    second = api.post("/auth/refresh", {"refresh": first}, format="json").json()["refresh"]
    assert api.post("/auth/refresh", {"refresh": first}, format="json").status_code == 401
    assert api.post("/auth/refresh", {"refresh": second}, format="json").status_code == 401


def test_signing_out_ends_the_family(api):
    token = login(api).json()["refresh"]
    assert api.post("/auth/logout", {"refresh": token}, format="json").status_code == 204
    assert api.post("/auth/refresh", {"refresh": token}, format="json").status_code == 401


def test_a_new_password_ends_tokens_made_before(api, front_desk):
    tokens = login(api).json()
    front_desk.set_password("another-long-password")
    front_desk.save()
    assert (
        api.post("/auth/refresh", {"refresh": tokens["refresh"]}, format="json").status_code == 401
    )
    assert (
        api.get("/auth/validate", HTTP_AUTHORIZATION=f"Bearer {tokens['token']}").status_code == 401
    )


def test_a_deleted_user_gets_401_not_500(api, front_desk):
    tokens = login(api).json()
    front_desk.delete()
    assert (
        api.get("/auth/validate", HTTP_AUTHORIZATION=f"Bearer {tokens['token']}").status_code == 401
    )
    assert (
        api.post("/auth/refresh", {"refresh": tokens["refresh"]}, format="json").status_code == 401
    )


def test_only_a_hash_of_the_refresh_token_is_kept(api):
    token = login(api).json()["refresh"]
    assert token not in str(list(RefreshToken.objects.values()))


def test_too_many_wrong_passwords_lock_with_the_wait(api, settings):
    for _ in range(settings.AXES_FAILURE_LIMIT):
        answer = login(api, password="wrong")
    assert answer.status_code == 429
    assert login(api).status_code == 429
    assert login(api).json()["retryAfter"] == 600


@pytest.mark.parametrize("body", [{}, {"email": "a@b.example"}, {"email": None, "password": 3}])
def test_a_login_without_its_fields_names_them(api, body):
    answer = api.post("/auth/login", body, format="json")
    assert answer.status_code == 400
    assert answer.json()["errors"]


def test_a_password_with_spaces_around_works(api, front_desk):
    front_desk.set_password("  spaces around  ")
    front_desk.save()
    assert login(api, password="  spaces around  ").status_code == 200
