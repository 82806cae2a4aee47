"""Drawn requests to the REST API: bodies that are nearly right, and bodies that are no JSON."""

import json
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

MARK = "Qzxv"  # In texts of patients; no answer to a wrong body repeats it.
PATIENT, OTHER = "{patient}", "{other}"  # Stand for ids of patients on record.

RUDE_TEXTS = [
    "", " ", "\u0000", "\ud800", "\udfff", "\u202e", "\ufdfa" * 60, "\u0301" * 200, "\ufeff",
    "\u200b", "\ud83d", "null", "NaN", "Infinity", "-0", "=1+1", "<b>", "%00", "../..", "\r\n",
    "1984-02-30", "0000-00-00", "9999-12-31", "10000-01-01", "1849-12-31", "3/4/84", "1984",
    "1984-03", "March 1984", "24:00", "N/A", "000-00-0000", "***-**-1234", "1.23457E+11",
    "x" * 121, "x" * 5_000, "a," * 3_000, "é" * 250, "1" * 250, "+1 617 555 0131", "a@b", "a@b.de",
    "U.S.A.", "XX", "Deutschland", "pt-BR", "merged", "archived", "active", "MALE", "Dr Dr Dr",
]  # fmt: skip
texts = st.one_of(st.sampled_from(RUDE_TEXTS), st.text(max_size=30))
numbers = st.one_of(
    st.integers(),
    st.sampled_from([0, -1, 2**31, 2**63, 2**64, 10**40, 10**4_000, 19840315, 1.5, 1e308, -0.0]),
    st.floats(),
)
scalars = st.one_of(st.none(), st.booleans(), numbers, texts)
values = st.recursive(
    scalars,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4), st.dictionaries(st.text(max_size=8), inner, max_size=4)
    ),
    max_leaves=8,
)
names = st.sampled_from(["Anna", "Ben", "Müller", "王小明", "Nguyễn Văn", "O'Brien", "x"]).map(
    lambda name: f"{name}{MARK}"
)
days = st.dates().map(str)
identifiers = st.lists(
    st.one_of(
        st.fixed_dictionaries(
            {
                "system": st.one_of(st.sampled_from(["ssn", "SSN", "passport", "urn:x"]), values),
                "value": st.one_of(st.from_regex(r"[A-Z]\d{7}", fullmatch=True), values),
            },
            optional={"validFrom": st.one_of(days, values), "validTo": st.one_of(days, values)},
        ),
        values,
    ),
    max_size=4,
)
PLAUSIBLE: dict[str, Any] = {
    "name": names,
    "familyName": names,
    "givenName": names,
    "middleName": names,
    "prefix": st.just("Dr"),
    "suffix": st.just("Jr."),
    "preferredName": names,
    "dateOfBirth": days,
    "dateOfBirthPrecision": st.sampled_from(["day", "month", "year"]),
    "sex": st.sampled_from(["female", "male", "other", "unknown"]),
    "email": st.just(f"{MARK}@example.org"),
    "phone": st.just("617 555 0131"),
    "address": st.just(f"12 Hill Road {MARK}, Boston, Massachusetts, Germany"),
    "addressLine1": st.just(f"12 Hill Road {MARK}"),
    "city": st.just("Boston"),
    "postalCode": st.just("02134"),
    "country": st.sampled_from(["US", "DEU", "Nederland"]),
    "language": st.just("en"),
    "deceasedDate": days,
    "registeredDate": days,
    "identifiers": identifiers,
    "duplicateReason": st.just("twins"),
    "status": st.sampled_from(["active", "archived", "merged"]),
    "into": st.sampled_from([PATIENT, OTHER]),
    "reason": st.just("same passport"),
    "take": st.lists(st.sampled_from(["phone", "city", "dateOfBirth", "address"]), max_size=3),
    "intoVersion": st.integers(0, 3),
    "email ": values,
    "password": st.just("wrong"),
    "refresh": st.just("abc"),
}
OF_ANSWERS = ("id", "mrn", "version", "mergedInto", "billing", "warnings", "matchedOn")
MERGE, SIGN_IN = ("into", "reason", "take", "intoVersion"), ("email", "password", "refresh")
PERSON = tuple(PLAUSIBLE.keys() - {*MERGE, "password", "refresh", "email "})
MEMBERS = {
    "POST /api/patients": PERSON,
    "PUT /api/patients/{patient}": PERSON,
    "PATCH /api/patients/{patient}": PERSON,
    "POST /api/patients/{patient}/merge": MERGE,
    "POST /api/patients/{patient}/unmerge": (),
    "POST /auth/login": SIGN_IN,
    "POST /auth/refresh": SIGN_IN,
    "POST /auth/logout": SIGN_IN,
}


@dataclass(frozen=True)
class DrawnRequest:
    """A route with the names of patients that stand for ids, its headers, and its body."""

    route: str
    headers: dict[str, str]
    body: bytes


@st.composite
def objects(draw: st.DrawFn, known: tuple[str, ...]) -> dict[str, Any]:
    """A body that has some members of the route, of which a few are wrong, and seldom others."""
    members: dict[str, Any] = {}
    for name in draw(st.lists(st.sampled_from(known), unique=True, max_size=7)) if known else ():
        is_rude = draw(st.integers(0, 3)) == 0
        members[name] = draw(values if is_rude else PLAUSIBLE[name])
    if draw(st.integers(0, 5)) == 0:
        others = st.one_of(st.sampled_from([*OF_ANSWERS, *PLAUSIBLE, "a/b", "~c"]), st.text())
        members[draw(others)] = draw(values)
    return members


@st.composite
def requests(draw: st.DrawFn) -> DrawnRequest:
    """A request to one of the routes that read JSON."""
    route = draw(st.sampled_from([*MEMBERS]))
    headers = {"content_type": "application/json"}
    if draw(st.integers(0, 5)) == 0:
        tags = ['"1"', '"2"', "*", 'W/"1"', "1", '"²"', '"1", "2"', '"' + "9" * 400 + '"', ""]
        headers["HTTP_IF_MATCH"] = draw(st.sampled_from(tags))
    if draw(st.integers(0, 5)) == 0:
        keys = ["k1", "k2", "k" * 255, "k" * 256, "é", "a, b", " "]
        headers["HTTP_IDEMPOTENCY_KEY"] = draw(st.sampled_from(keys))
    value = draw(objects(MEMBERS[route]) if draw(st.integers(0, 9)) else values)
    body = json.dumps(value).encode()
    if draw(st.integers(0, 9)) == 0:
        return DrawnRequest(route, headers | draw(_other_types), draw(_broken(body)))
    return DrawnRequest(route, headers, body)


_other_types = st.sampled_from(
    [
        {},
        {},
        {"content_type": "application/json; charset=utf-16"},
        {"content_type": "text/plain"},
        {"content_type": "application/x-www-form-urlencoded"},
        {"content_type": "multipart/form-data; boundary=x"},
        {"content_type": ""},
    ]
)


@st.composite
def _broken(draw: st.DrawFn, body: bytes) -> bytes:
    """The body, cut off, doubled, or with bytes in it that do not belong there."""
    at = draw(st.integers(0, len(body)))
    rude = [b"\xff", b"\x00", b"\xed\xa0\x80", b"[" * 40, b'{"a":' * 20, b"NaN", b"1" * 5_000, b","]
    middle = draw(st.one_of(st.sampled_from([b"", *rude]), st.binary(max_size=8)))
    end = draw(st.sampled_from([body[at:], b"", body]))
    return body[:at] + middle + end
