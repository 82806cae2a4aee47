"""No form of a page answers 500, whatever comes in its fields: the portal says what to do."""

import re
from html.parser import HTMLParser
from urllib.parse import quote_from_bytes, urljoin

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import transaction
from django.urls import get_resolver

from portal.duplicates.scans import run_scan
from portal.patients.models import PossibleDuplicate
from tests.portal.test_every_route_has_a_rule import all_routes

pytestmark = pytest.mark.django_db
FORM = "application/x-www-form-urlencoded"
LEFT_OUT = ("api/", "auth/", "admin/logout", "admin/jsi18n", "sign-out/")
PERSON = {"familyName": "Sample", "givenName": "Ada", "dateOfBirth": "1984-03-04"}
ODD_TEXTS = {
    "NUL": b"\x00",
    "half of a character": b"\xed\xa0\x80",
    "no UTF-8": b"\xff\xfe",
    "very long": b"a" * 100_000,
    "superscript two": "²".encode(),
    "5,000 digits": b"9" * 5_000,
    "negative": b"-1",
    "markup": b"<b>'\"",
    "nothing": b"",
}
EXTRA = b"no_such_field=1&form-TOTAL_FORMS=%FF&a[]=1&a[b]=2&=&%00=%00"


class FormReader(HTMLParser):
    """Collects the forms of a page: the address of each, its fields, and which are hidden."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.page, self.forms = page, {}
        self.fields: dict[str, str] | None = None
        self.hidden: set[str] = set()

    def handle_starttag(self, tag, attrs):
        values = {name: value or "" for name, value in attrs}
        if tag == "form" and values.get("method", "").lower() == "post":
            address = urljoin(self.page, values.get("action", "")).partition("?")[0]
            self.fields = self.forms.setdefault(address, {})
        elif self.fields is not None and (name := values.get("name")):
            self.fields.setdefault(name, values.get("value", ""))
            if values.get("type") == "hidden":
                self.hidden.add(name)

    def handle_endtag(self, tag):
        if tag == "form":
            self.fields = None


@pytest.fixture
def ids(client, make_user, api_as, settings, tmp_path):
    """The ids of what a form can be about, by the name that they have in routes."""
    settings.DATA_DIR = tmp_path
    user = make_user("operator", is_superuser=True, is_staff=True)
    client.force_login(user)
    api = api_as(user)
    patient, other = (
        api.post("/api/patients", PERSON | more, format="json").json()["id"]
        for more in ({}, {"duplicateReason": "twins"})
    )
    run_scan(by=user)
    file = SimpleUploadedFile("people.csv", b"family_name,given_name,sex\nSample,Ada,Q\n")
    job = re.search(r"[0-9a-f-]{36}", client.post("/imports/upload/", {"file": file})["Location"])
    return {
        "patient_id": patient,
        "other_id": other,
        "job_id": job[0],
        "pair_id": str(PossibleDuplicate.objects.get().pk),
        "doubt": "likely",
        "object_id": str(user.pk),
        "id": str(user.pk),
    }


def addresses(ids) -> set[str]:
    """Returns an address of each route of a page that is about something that is there."""
    found = set()
    for route, _view in all_routes(get_resolver().url_patterns):
        if not route.startswith(LEFT_OUT) and "(" not in route:
            fill = lambda match: ids.get(match[1], "1")  # noqa: E731 - too short for a name.
            found.add("/" + re.sub(r"<(?:\w+:)?(\w+)>", fill, route))
    return found


def forms_of(client, ids) -> tuple[dict[str, dict[str, str]], set[str]]:
    """Returns the fields of the form at each address that takes one, and which names are hidden."""
    forms, hidden, unread = {}, set(), set()
    for address in sorted(addresses(ids)):
        answer = client.get(address)
        if answer.status_code == 405:
            unread.add(address)
        elif answer.status_code == 200 and "html" in answer["Content-Type"]:
            reader = FormReader(address)
            reader.feed(answer.content.decode())
            forms |= reader.forms
            hidden |= reader.hidden
    every_field = {name: value for fields in forms.values() for name, value in fields.items()}
    return dict.fromkeys(unread, every_field) | forms, hidden


def encode(fields) -> bytes:
    """Returns the body of a form; the values are bytes, which may be no text."""
    pairs = (f"{quote_from_bytes(name.encode())}={quote_from_bytes(v)}" for name, v in fields)
    return "&".join(pairs).encode()


def bodies_of(fields: dict[str, str], hidden: set[str]):
    """Yields what is odd, and a body of the form that has it."""
    usual = [(name, value.encode()) for name, value in fields.items()]
    for kind, text in ODD_TEXTS.items():
        shown = [(name, value if name in hidden else text) for name, value in usual]
        yield f"{kind} in shown fields", encode(shown)
    for kind in ("NUL", "half of a character", "5,000 digits"):
        yield f"{kind} in all fields", encode((name, ODD_TEXTS[kind]) for name in fields)
    yield "fields that repeat", encode([*usual, *((name, b"\xc2\xb2") for name in fields)])
    yield "missing fields", b""
    yield "unknown fields", encode(usual) + b"&" + EXTRA


def test_no_odd_value_in_a_form_makes_an_error_of_ours(client, ids):
    forms, hidden = forms_of(client, ids)
    client.raise_request_exception = False
    failed = set()
    for address, fields in forms.items():
        for kind, body in bodies_of(fields, hidden):
            with transaction.atomic():
                answer = client.generic("POST", address, body, content_type=FORM)
                transaction.set_rollback(True)
            has_message = answer.status_code < 400 or b"<" in answer.content
            if answer.status_code >= 500 or not has_message:
                failed.add((address, kind, answer.status_code))
    assert len(forms) > 30
    assert failed == set()
