"""Draws FHIR resources, as NDJSON and as Bundles."""

import json
from typing import Any

from hypothesis import strategies as st

from tests.fuzz.drawn_file import DrawnFile
from tests.fuzz.values import dates, family_name, odd_texts, value_of

_US_CORE = "http://hl7.org/fhir/us/core/StructureDefinition/"
_odd_json: st.SearchStrategy[Any] = st.one_of(
    st.sampled_from(
        [
            *(None, True, False, 0, -1, 1.5, 10**30, [], {}, [None], [[]], [{}], {"": None}, ""),
            *("x", [[]] * 3, {"a": {"b": []}}, [1, "a", None], 1e308, {"extension": []}),
        ]
    ),
    odd_texts,
)
_period = st.fixed_dictionaries({}, optional={"start": dates, "end": dates})
_code = st.sampled_from(
    ["M", "S", "en", "de-DE", "HTEST", "R", "SSN", "MR", "PPN", "", "AAU", "UAA"]
)
_coding = st.fixed_dictionaries({"code": _code}, optional={"display": odd_texts})
_concept = st.fixed_dictionaries(
    {}, optional={"coding": st.lists(_coding, max_size=2), "text": odd_texts}
)
_use = st.sampled_from(["official", "usual", "old", "nickname", "home", "mobile", "temp", "?"])
_telecom = st.fixed_dictionaries(
    {"value": value_of("phone")},
    optional={
        "system": st.sampled_from(["phone", "email", "fax", "sms", "url", "x"]),
        "use": _use,
        "rank": st.sampled_from([1, 2, 0, -1, "1"]),
        "period": _period,
    },
)
_address = st.fixed_dictionaries(
    {"city": value_of("city")},
    optional={
        "line": st.lists(odd_texts, max_size=3),
        "country": value_of("country"),
        "use": _use,
        "period": _period,
        "text": odd_texts,
    },
)
_identifier = st.fixed_dictionaries(
    {"value": value_of("ssn")},
    optional={
        "system": st.sampled_from(
            ["http://hl7.org/fhir/sid/us-ssn", "urn:oid:1.2.3", "ssn", "", "x" * 300]
        ),
        "type": _concept,
        "use": _use,
        "period": _period,
    },
)
_extension = st.fixed_dictionaries(
    {"url": st.sampled_from([_US_CORE + "us-core-race", _US_CORE + "us-core-ethnicity", "x"])},
    optional={
        "extension": st.lists(
            st.fixed_dictionaries(
                {"url": st.sampled_from(["text", "ombCategory", ""])},
                optional={"valueString": odd_texts, "valueCoding": _coding},
            ),
            max_size=2,
        )
    },
)
_PARTS: dict[str, st.SearchStrategy[Any]] = {
    "id": value_of("id"),
    "gender": value_of("sex"),
    "birthDate": value_of("date_of_birth"),
    "deceasedDateTime": value_of("deceased_on"),
    "deceasedBoolean": st.sampled_from([False, False, True]),
    "active": st.sampled_from([True, True, False]),
    "telecom": st.lists(_telecom, max_size=3),
    "address": st.lists(_address, max_size=2),
    "identifier": st.lists(_identifier, max_size=3),
    "maritalStatus": _concept,
    "communication": st.lists(st.fixed_dictionaries({"language": _concept}), max_size=2),
    "extension": st.lists(_extension, max_size=2),
    "link": st.just([{"other": {"reference": "Patient/2"}, "type": "refer"}]),
    "meta": st.fixed_dictionaries({}, optional={"tag": st.lists(_coding, max_size=1)}),
    "contact": st.just([{"name": {"family": "Other"}}]),
    "photo": st.just([{}]),
    "_birthDate": st.just({"extension": [{"url": "x"}]}),
    "implicitRules": odd_texts,
}
_HOLDERS = ("name", "telecom", "address", "identifier", "extension", "communication")


@st.composite
def patients(draw: st.DrawFn, number: int) -> dict[str, Any]:
    """Draws a Patient; one of three has parts of a wrong type somewhere."""
    parts = draw(st.lists(st.sampled_from([*_PARTS]), max_size=6, unique=True))
    name = {"family": draw(family_name(number)), "given": [draw(value_of("given_name"))]}
    patient: dict[str, Any] = {"resourceType": "Patient", "name": [name]}
    patient |= {part: draw(_PARTS[part]) for part in parts}
    for _ in range(draw(st.integers(0, 2)) if draw(st.integers(0, 2)) == 0 else 0):
        _spoil(draw, patient)
    return patient


def _spoil(draw: st.DrawFn, patient: dict[str, Any]) -> None:
    """Puts something else in the place of a part, at the top or one level below."""
    part = draw(st.sampled_from([*_PARTS, "name"]))
    found = patient.get(part)
    if isinstance(found, list) and found and isinstance(found[0], dict) and found[0]:
        key = draw(st.sampled_from([*found[0]]))
        patient[part] = [found[0] | {key: draw(_odd_json)}, *found[1:]]
    else:
        patient[part] = draw(_odd_json)


_ODD_LINES = [
    "", " ", "{", "}", "[]", "null", "1", '"x"', "{}", '{"resourceType":"Observation"}', "\ufeff{}",
    '{"resourceType":"Patient"}', '{"resourceType":["Patient"]}', '{"resourceType":{}}', "NaN",
    '{"resourceType":"Patient","name":NaN}', '{"resourceType":"Patient","id":' + "9" * 5000 + "}",
    '{"resourceType":"Patient","id":"\\ud800"}', '{"resourceType":"Patient","id":"\\u0000"}',
    '{"resourceType":"Patient","name":' + "[" * 70 + "]" * 70 + "}", "[" * 9999, '{"a":' * 9999,
    '{"resourceType":"Bundle"}', "\x0c", "\x1e{}", "// comment",
]  # fmt: skip


@st.composite
def ndjson_files(draw: st.DrawFn) -> DrawnFile:
    """Draws NDJSON."""
    lines = []
    for number in range(draw(st.integers(1, 7))):
        if draw(st.integers(0, 7)) == 0:
            lines.append(draw(st.sampled_from(_ODD_LINES)))
        else:
            lines.append(_dump(draw, draw(patients(number))))
    line_end = draw(st.sampled_from(["\n", "\r\n"]))
    text = line_end.join(lines) + draw(st.sampled_from(["", "\n", "\n\n"]))
    encoding = draw(st.sampled_from(["utf-8", "utf-8", "utf-8", "utf-8-sig", "utf-16"]))
    content, first = text.encode(encoding), lines[0]
    if (
        "\ufeff" in text
        or encoding == "utf-16"
        or first in _ODD_LINES
        or '"Patient"' not in first
        or not first.startswith('{"resourceType"')
    ):
        return DrawnFile(content)
    return DrawnFile(content, sum(bool(line.strip()) for line in lines))


def _dump(draw: st.DrawFn, resource: Any) -> str:
    return json.dumps(resource, ensure_ascii=draw(st.booleans()))


@st.composite
def bundle_files(draw: st.DrawFn) -> DrawnFile:
    """Draws Bundles: collections, histories and pages of a search."""
    entries: list[Any] = []
    count = 0
    for number in range(draw(st.integers(1, 6))):
        if draw(st.integers(0, 7)) == 0:
            odd = st.one_of(_odd_json, st.just({"resource": {"resourceType": "Encounter"}}))
            entries.append(draw(odd))
            continue
        entry: dict[str, Any] = {"resource": draw(patients(number))}
        if draw(st.integers(0, 3)) == 0:
            entry["request"] = draw(
                st.sampled_from(
                    [
                        {"method": "DELETE", "url": "Patient/1"},
                        {"method": "PUT"},
                        [],
                        None,
                        {"url": 1},
                    ]
                )
            )
        if draw(st.integers(0, 3)) == 0:
            version = draw(st.sampled_from(["1", "2", 3, "x", None, "9" * 30, "-1"]))
            entry["resource"]["meta"] = {"versionId": version}
        entries.append(entry)
        count += 1
    kind = draw(st.sampled_from(["collection", "history", "searchset", "batch", None, 1]))
    document: dict[str, Any] = {"resourceType": "Bundle", "type": kind, "entry": entries}
    if draw(st.integers(0, 4)) == 0:
        document["link"] = draw(st.one_of(_odd_json, st.just([{"relation": "next", "url": "x"}])))
    indent = draw(st.sampled_from([None, 2]))
    text = json.dumps(document, indent=indent, ensure_ascii=draw(st.booleans()))
    return DrawnFile(text.encode(), count or None)
