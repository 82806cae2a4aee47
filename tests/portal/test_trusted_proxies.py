"""Scheme, host and client address come from X-Forwarded-* of trusted proxies alone."""

import json
from ipaddress import ip_network

import pytest
from django.conf import settings as configured

from tests.portal.conftest import PASSWORD

pytestmark = pytest.mark.django_db


@pytest.fixture
def proxies(settings):
    settings.TRUSTED_PROXIES = [ip_network("10.1.0.0/16"), ip_network("fd00::7/128")]
    settings.ALLOWED_HOSTS = ["testserver", "portal.clinic.example"]


def forwarded(*, by, client="", proto="https", host="portal.clinic.example"):
    headers = {
        "REMOTE_ADDR": by,
        "HTTP_X_FORWARDED_FOR": client,
        "HTTP_X_FORWARDED_PROTO": proto,
        "HTTP_X_FORWARDED_HOST": host,
    }
    return {name: value for name, value in headers.items() if value}


def next_page_of_patients(api, **headers):
    for name in ("Orme", "Inman"):
        body = {"familyName": name, "givenName": "Ada", "dateOfBirth": "1984-03-04"}
        assert api.post("/api/patients", body, format="json").status_code == 201
    return api.get("/api/patients?limit=1", **headers)["Link"]


def test_links_behind_a_proxy_are_those_of_the_proxy(desk_api, proxies):
    link = next_page_of_patients(desk_api, **forwarded(by="10.1.2.3"))
    assert link.startswith("<https://portal.clinic.example/api/patients?")


@pytest.mark.parametrize("stranger", ["127.0.0.1", "10.2.0.1", "192.0.2.9", ""])
def test_a_stranger_is_not_believed(desk_api, proxies, stranger):
    link = next_page_of_patients(desk_api, **forwarded(by=stranger or "::1"))
    assert link.startswith("<http://testserver/api/patients?")


def test_without_the_setting_nobody_is_believed(desk_api):
    assert configured.TRUSTED_PROXIES == []
    link = next_page_of_patients(desk_api, **forwarded(by="127.0.0.1"))
    assert link.startswith("<http://testserver/api/patients?")


def try_to_sign_in(client, password, **headers):
    body = json.dumps({"email": "frontdesk@clinic.example", "password": password})
    answer = client.post("/auth/login", body, content_type="application/json", **headers)
    return answer.status_code


def test_a_lockout_behind_a_proxy_hits_one_client(client, front_desk, proxies):
    for _ in range(8):
        try_to_sign_in(client, "wrong", **forwarded(by="10.1.0.1", client="192.0.2.7"))
    own = forwarded(by="10.1.0.1", client="192.0.2.7")
    other = forwarded(by="10.1.0.1", client="192.0.2.8")
    assert try_to_sign_in(client, PASSWORD, **own) == 429
    assert try_to_sign_in(client, PASSWORD, **other) == 200


def test_a_stranger_gets_no_further_guesses_by_claiming_addresses(client, front_desk, proxies):
    for number in range(8):
        claim = forwarded(by="192.0.2.7", client=f"198.51.100.{number}")
        try_to_sign_in(client, "wrong", **claim)
    assert try_to_sign_in(client, PASSWORD, REMOTE_ADDR="192.0.2.7") == 429


def test_a_computer_gets_no_further_guesses_by_its_many_addresses_of_ipv6(client, front_desk):
    for number in range(8):
        try_to_sign_in(client, "wrong", REMOTE_ADDR=f"2001:db8:1:2::{number}")
    assert try_to_sign_in(client, PASSWORD, REMOTE_ADDR="2001:db8:1:2:9::1") == 429
    assert try_to_sign_in(client, PASSWORD, REMOTE_ADDR="2001:db8:1:3::1") == 200


def test_a_client_gets_no_further_guesses_by_what_it_wrote_itself(client, front_desk, proxies):
    """The client's own X-Forwarded-For stands before the address that the proxy saw."""
    for number in range(8):
        claim = forwarded(by="10.1.0.1", client=f"198.51.100.{number}, 192.0.2.7")
        try_to_sign_in(client, "wrong", **claim)
    honest = forwarded(by="10.1.0.1", client="192.0.2.7")
    assert try_to_sign_in(client, PASSWORD, **honest) == 429


@pytest.mark.parametrize(
    ("sent", "client_address"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("192.0.2.7:4711", "192.0.2.7"),
        ("2001:db8::5", "2001:db8::5"),
        ("[2001:db8::5]:4711", "2001:db8::5"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("192.0.2.7, 10.1.0.9", "192.0.2.7"),
        ("192.0.2.7, fd00::7", "192.0.2.7"),
        ("203.0.113.1, 192.0.2.7, 10.1.0.9", "192.0.2.7"),
        ("fe80::5%eth0", "fe80::5"),
        ("unknown", "10.1.0.1"),
        ("192.0.2.7, unknown", "10.1.0.1"),
        ("", "10.1.0.1"),
        (" , ", "10.1.0.1"),
    ],
)
def test_the_client_is_the_last_address_that_is_no_proxy(rf, proxies, sent, client_address):
    from portal.proxies import TrustedProxies

    request = rf.get("/", **forwarded(by="10.1.0.1", client=sent))
    TrustedProxies(lambda request: request)(request)
    assert request.META["REMOTE_ADDR"] == client_address
    assert not [name for name in request.META if "FORWARDED" in name]


def test_a_host_that_is_not_allowed_is_refused_also_from_a_proxy(client, proxies):
    assert (
        client.get("/sign-in/", **forwarded(by="10.1.0.1", host="evil.example")).status_code == 400
    )
