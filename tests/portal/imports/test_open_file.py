"""A file is known by its content; one that cannot be read says what to do and quotes nothing."""

import json

import pytest

from portal.imports.readers import Unreadable, open_patients
from portal.imports.readers import fhir_bundle as fhir
from portal.imports.readers.detection import SAMPLE
from tests.portal.imports.files import ANNA, as_csv, as_ndjson

PATIENT = {"resourceType": "Patient", "id": "x", "name": [{"family": "Beispiel"}]}
BUNDLE = {"resourceType": "Bundle", "entry": [{"resource": PATIENT}]}


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (as_csv(ANNA), "csv"),
        (b"\xef\xbb\xbf" + as_csv(ANNA).encode(), "csv"),
        ("\n\n" + as_csv(ANNA), "csv"),
        (as_ndjson(PATIENT), "ndjson"),
        (b"\xef\xbb\xbf" + as_ndjson(PATIENT).encode(), "ndjson"),
        ('{"resourceType": "Patient", broken\n' + as_ndjson(PATIENT), "ndjson"),
        (json.dumps(BUNDLE), "bundle"),
        (json.dumps(BUNDLE, indent=2), "bundle"),
        (json.dumps(PATIENT, indent=2), "bundle"),
    ],
)
def test_the_content_decides_and_not_the_name(file, content, kind):
    assert open_patients(file(content, "whatever.bin")).format == kind


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "empty"),
        (b" \n \n", "empty"),
        (as_csv(ANNA).encode("utf-16-le"), "UTF-16"),
        (as_csv(ANNA | {"given_name": "Zoë"}).encode("latin-1"), "not UTF-8"),
        (as_csv(ANNA).replace("\n", "\r").encode(), "old Macs"),
        (b"PK\x03\x04" + b"\0" * 100, "Excel"),
        (b"\x1f\x8b" + bytes(range(256)), "gzip"),
        (b"%PDF-1.7 ...", "PDF"),
        (bytes(range(1, 9)) * 200, "not a text file"),
        (b"\x7fELF" + bytes(range(32)) * 8 + b"\0" * 900, "not a text file"),
        (b"Dear colleague,\nplease find Anna Beispiel attached.\n", "header"),
        (b"1956-08-03,Anna,Beispiel\n1990-01-01,Ben,Sample\n", "header"),
        (b"family_name,given_name,LAST\nBeispiel,Anna,Beispiel\n", "mean the same"),
        (b'{"name": "Anna Beispiel"}\n', "not FHIR"),
        (as_ndjson(PATIENT).encode("utf-16"), "JSON is UTF-8"),
        (b'[{"resourceType": "Patient"}]', "array"),
        (b'{\n "resourceType": "Bundle",\n "entry": [', "not complete"),
        (b'{\n "resourceType": "List"\n}', "neither"),
    ],
)
def test_an_unreadable_file_says_why_and_names_nobody(file, content, words):
    with pytest.raises(Unreadable) as refused:
        open_patients(file(content))
    assert words in str(refused.value)
    assert "Beispiel" not in str(refused.value)


def test_a_bundle_too_large_for_memory_is_refused(file, monkeypatch):
    monkeypatch.setattr(fhir, "MAX_BUNDLE_BYTES", 10)
    with pytest.raises(Unreadable, match="NDJSON"):
        open_patients(file(json.dumps({"resourceType": "Bundle", "entry": []}, indent=1)))


def test_one_bad_byte_in_utf8_costs_its_row_and_not_the_file(file):
    people = as_csv(
        ANNA | {"given_name": "Zoë"}, ANNA | {"given_name": "Chloé"}, ANNA | {"given_name": "X"}
    ).encode()
    rows = list(open_patients(file(people.replace(b",X,", b",\xe9,"))).rows())
    assert [len(row.problems) for row in rows] == [0, 0, 1]
    assert "UTF-8" in rows[2].problems[0].reason


def test_a_large_bundle_on_one_line_is_a_bundle(file):
    entries = [{"resource": PATIENT | {"id": f"{n:0900}"}} for n in range(1300)]
    text = json.dumps({"resourceType": "Bundle", "entry": entries})
    assert len(text) > SAMPLE
    opened = open_patients(file(text))
    assert opened.format == "bundle"
    assert len(list(opened.rows())) == 1300
    lines = [json.dumps(PATIENT | {"id": "1" * SAMPLE}), json.dumps(PATIENT)]
    assert open_patients(file("\n".join(lines))).format == "ndjson"
