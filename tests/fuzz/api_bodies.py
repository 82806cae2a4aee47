"""Drawn requests to the REST API: bodies that are nearly right, and bodies that are no JSON."""

import json
from dataclasses import dataclass
from datetime import date
from typing import Any

from hypothesis import strategies as st

MARK = "Qzxv"  # In texts of patients; no answer to a wrong body repeats it.
# Stand for ids of patients on record, of whom the last one is merged into the first.
PATIENT, OTHER, MERGED = "{patient}", "{other}", "{merged}"

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
days = st.dates(date(1850, 1, 1), date(2026, 1, 1)).map(str)
odd_days = st.one_of(days, st.dates().map(str), values)
_passport_numbers = st.from_regex(r"[A-Z]\d{7}", fullmatch=True)
good_identifiers = st.lists(
    st.fixed_dictionaries(
        {"system": st.sampled_from(["passport", "driver", "urn:x"]), "value": _passport_numbers},
        optional={"validFrom": days},
    ),
    max_size=3,
)
odd_identifiers = st.lists(
    st.one_of(
        st.fixed_dictionaries(
            {
                "system": st.one_of(st.sampled_from(["ssn", "SSN", "passport", "urn:x"]), values),
                "value": st.one_of(_passport_numbers, values),
            },
            optional={"validFrom": odd_days, "validTo": odd_days},
        ),
        values,
    ),
    max_size=4,
)
GOOD: dict[str, Any] = {
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
    "identifiers": good_identifiers,
    "duplicateReason": st.just("twins"),
    "status": st.sampled_from(["active", "archived"]),
    "into": st.just(OTHER),
    "reason": st.just("same passport"),
    "take": st.lists(st.sampled_from(["phone", "city", "dateOfBirth", "address"]), max_size=3),
    "intoVersion": st.integers(1, 3),
    "password": st.just("wrong"),
    "refresh": st.just("abc"),
}
ODD: dict[str, Any] = {
    **dict.fromkeys(["dateOfBirth", "deceasedDate", "registeredDate"], odd_days),
    "identifiers": odd_identifiers,
    "into": st.one_of(st.sampled_from([PATIENT, MERGED]), values),
    "status": st.one_of(st.just("merged"), values),
}
OF_ANSWERS = ("id", "mrn", "version", "mergedInto", "billing", "warnings", "matchedOn")
MERGE, SIGN_IN = ("into", "reason", "take", "intoVersion"), ("email", "password", "refresh")
NEW = tuple(name for name in GOOD if name not in {*MERGE, "password", "refresh", "status"})
CHANGED = (*(name for name in NEW if name != "duplicateReason"), "status")
MEMBERS = {
    "POST /api/patients": NEW,
    "PUT /api/patients/{patient}": CHANGED,
    "PATCH /api/patients/{patient}": CHANGED,
    "POST /api/patients/{patient}/merge": MERGE,
    "POST /api/patients/{patient}/unmerge": (),
    "POST /api/patients/{merged}/unmerge": (),
    "POST /auth/login": SIGN_IN,
    "POST /auth/refresh": SIGN_IN,
    "POST /auth/logout": SIGN_IN,
}
# Of which a good body has at least one.
NEEDED = {NEW: ["familyName", "givenName", "name"], MERGE: ["into"]}


@dataclass(frozen=True)
class DrawnRequest:
    """A route with the names of patients that stand for ids, its headers, and its body."""

    route: str
    headers: dict[str, str]
    body: bytes


@st.composite
def good_objects(draw: st.DrawFn, known: tuple[str, ...]) -> dict[str, Any]:
    """A body that the route takes, where what is on record lets it."""
    names = draw(st.lists(st.sampled_from(known), unique=True, max_size=7)) if known else []
    if needed := NEEDED.get(known):
        names.append(draw(st.sampled_from(needed)))
    if known == MERGE:
        names.append("reason")
    members = {name: draw(GOOD[name]) for name in names}
    if {"dateOfBirth", "deceasedDate"} <= members.keys():
        both = sorted([members["dateOfBirth"], members["deceasedDate"]])
        members["dateOfBirth"], members["deceasedDate"] = both
    return members


@st.composite
def odd_objects(draw: st.DrawFn, known: tuple[str, ...]) -> dict[str, Any]:
    """A body that has some members of the route, of which a few are wrong, and seldom others."""
    members: dict[str, Any] = {}
    for name in draw(st.lists(st.sampled_from(known), unique=True, max_size=7)) if known else ():
        is_odd = draw(st.integers(0, 3)) == 0
        members[name] = draw(ODD.get(name, values) if is_odd else GOOD[name])
    if draw(st.integers(0, 5)) == 0:
        others = st.one_of(st.sampled_from([*OF_ANSWERS, *GOOD, "a/b", "~c"]), st.text())
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
    if draw(st.integers(0, 9)) == 0:
        forms = ["application/json", "text/*", "TEXT/HTML", "application/xml", "*/*;q=0.1", "x", ""]
        headers["HTTP_ACCEPT"] = draw(st.sampled_from(forms))
    known = MEMBERS[route]
    if draw(st.booleans()):
        return DrawnRequest(route, headers, json.dumps(draw(good_objects(known))).encode())
    value = draw(odd_objects(known) if draw(st.integers(0, 9)) else values)
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
