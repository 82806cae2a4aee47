"""A process hashes few passwords at once: each takes 100 MB of memory until it is done."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from axes.models import AccessAttempt
from django.conf import settings as configured
from django.contrib.auth.hashers import Argon2PasswordHasher, check_password, make_password
from rest_framework.test import APIClient

from portal.accounts import password_hashing
from portal.accounts.password_hashing import AT_ONCE
from tests.portal.conftest import PASSWORD

SHIPPED = [*configured.PASSWORD_HASHERS]  # Before the fixture of the tests makes them quick.


@pytest.fixture(autouse=True)
def _as_shipped(settings, _quick_passwords):
    settings.PASSWORD_HASHERS = SHIPPED


class Peak:
    """Counts how many hashes run. Each waits a moment for one more than are allowed."""

    def __init__(self):
        self.lock, self.running, self.most = threading.Lock(), 0, 0
        self.has_too_many = threading.Event()

    def hold(self, answer):
        with self.lock:
            self.running += 1
            self.most = max(self.most, self.running)
            if self.running > AT_ONCE:
                self.has_too_many.set()
        self.has_too_many.wait(0.05)
        with self.lock:
            self.running -= 1
        return answer


@pytest.fixture
def peak(monkeypatch):
    counted = Peak()
    monkeypatch.setattr(Argon2PasswordHasher, "verify", lambda *_: counted.hold(True))
    monkeypatch.setattr(Argon2PasswordHasher, "encode", lambda *_: counted.hold("argon2$x"))
    return counted


def test_16_passwords_at_once_are_hashed_few_at_a_time(peak):
    encoded = "argon2$argon2id$v=19$m=102400,t=2,p=8$c2FsdHNhbHRzYWx0$aGFzaGhhc2g"
    with ThreadPoolExecutor(16) as threads:
        checked = [threads.submit(check_password, PASSWORD, encoded) for _ in range(8)]
        made = [threads.submit(make_password, PASSWORD) for _ in range(8)]
    assert all(check.result() for check in checked)
    assert all(new.result() for new in made)
    assert peak.most == AT_ONCE


@pytest.fixture
def all_turns_taken(monkeypatch):
    monkeypatch.setattr(password_hashing, "WAIT_SECONDS", 0.01)
    for _ in range(AT_ONCE):
        password_hashing._turns.acquire()
    yield
    for _ in range(AT_ONCE):
        password_hashing._turns.release()


@pytest.mark.django_db
@pytest.mark.parametrize("email", ["frontdesk@clinic.example", "nobody@clinic.example"])
def test_a_sign_in_without_a_turn_is_told_when_to_try_again(front_desk, all_turns_taken, email):
    pair = {"email": email, "password": "wrong-horse-battery"}
    answer = APIClient().post("/auth/login", pair, format="json")
    assert (answer.status_code, answer["Retry-After"]) == (503, "5")
    assert "try again" in answer.json()["detail"]
    assert not AccessAttempt.objects.exists()


@pytest.mark.django_db
def test_the_sign_in_page_without_a_turn_says_so(client, front_desk, all_turns_taken):
    pair = {"email": front_desk.email, "password": PASSWORD}
    answer = client.post("/sign-in/", pair)
    assert (answer.status_code, answer["Retry-After"]) == (503, "5")
    assert "Many people sign in" in answer.content.decode()


@pytest.mark.django_db
def test_a_turn_is_free_again_after_a_wrong_and_a_right_password(front_desk):
    for password, status in [("wrong-horse-battery", 401), (PASSWORD, 200)] * (AT_ONCE + 1):
        pair = {"email": front_desk.email, "password": password}
        assert APIClient().post("/auth/login", pair, format="json").status_code == status
