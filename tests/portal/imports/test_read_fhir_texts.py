"""NUL and half of a character in a FHIR resource: taken off, left out, or refused by its place."""

import json

import pytest

from portal.imports.models import ImportJob
from portal.imports.readers import open_patients
from portal.patients.models import Patient
from tests.portal.imports.files import as_ndjson, counts

PERSON = {
    "name": [{"family": "Sample", "given": ["Ada"]}],
    "birthDate": "1984-03-15",
    "gender": "female",
    "identifier": [{"system": "http://hl7.org/fhir/sid/us-ssn", "value": "900-22-1962"}],
    "telecom": [{"system": "phone", "value": "617 555 0131"}],
}
HALF = "\ud83d"  # The first half of an emoji that was cut off.
MAIL = {"system": "email", "value": f"a{HALF}@b.example"}
PHONE = {"system": "phone", "value": "617\x00555 0131"}


@pytest.fixture
def read(tmp_path):
    """Reads one resource, as a line or as the entry of a Bundle."""

    def read_row(resource, form="ndjson"):
        path = tmp_path / "people"
        text = as_ndjson(resource)
        if form == "bundle":
            entry = {"resource": {"resourceType": "Patient", **resource}}
            text = json.dumps({"resourceType": "Bundle", "entry": [entry]}, indent=1)
        path.write_text(text, "ascii")
        [row] = open_patients(path).rows()
        return row

    return read_row


@pytest.mark.parametrize("form", ["ndjson", "bundle"])
@pytest.mark.parametrize(
    ("part", "place"),
    [
        ({"name": [{"family": "Sam\0ple"}]}, "name[0].family"),
        ({"name": [{"family": "Sample", "given": ["Ada", f"L{HALF}"]}]}, "name[0].given[1]"),
        ({"birthDate": "1984-\x0003-15"}, "birthDate"),
        ({"id": HALF}, "id"),
        ({"name": [{"family": "Sample", "a\0": 1}]}, "name[0].a\N{REPLACEMENT CHARACTER}"),
    ],
)
def test_a_damaged_text_that_says_who_it_is_refuses_its_row_by_its_place(read, form, part, place):
    [problem] = read(PERSON | part, form).problems
    assert (problem.column, problem.value) == (place, "")
    assert "Correct it at the source" in problem.reason


@pytest.mark.parametrize(
    ("part", "place", "lost"),
    [
        ({"telecom": [*PERSON["telecom"], MAIL]}, "telecom[1].value", "email"),
        ({"telecom": [PHONE]}, "telecom[0].value", "phone"),
        ({"address": [{"city": "Sa\0lem", "country": "US"}]}, "address[0].city", "country"),
        ({"maritalStatus": {"text": f"x{HALF}"}}, "maritalStatus.text", "marital_status"),
        ({"identifier": [{"system": "x\0y", "value": "7"}]}, "identifier[0].system", "identifiers"),
        ({"text": {"status": "generated", "div": "<div>\0 x</div>"}}, "text.div", "city"),
        ({"photo": [{"title": f"{HALF}"}]}, "photo[0].title", "city"),
        ({"x\0": {"a": 1}}, "x\N{REPLACEMENT CHARACTER}", "city"),
    ],
)
def test_another_damaged_text_costs_its_element_alone_and_is_told(read, part, place, lost):
    """Red where it refuses the row, or where `617?555` is kept as a number."""
    row = read(PERSON | part)
    assert not row.problems
    assert row.details["family_name"] == "Sample"
    assert lost not in row.details
    assert [(item.column, item.value) for item in row.left_out] == [(place, "")]
    assert row.left_out[0].reason.startswith("Left out")


def test_nuls_that_fill_a_text_up_are_taken_off_and_told(read):
    row = read(PERSON | {"name": [{"family": "Sample\0\0\0", "given": ["\0Ada"]}]})
    assert (row.details["family_name"], row.details["given_name"]) == ("Sample", "Ada")
    assert [item.column for item in row.left_out] == ["name[0].family", "name[0].given[0]"]
    assert all("taken off" in item.reason for item in row.left_out)


def test_an_emoji_and_an_escaped_backslash_are_text(read):
    row = read(PERSON | {"name": [{"family": "Sample \N{GRINNING FACE}", "given": ["\\u0000x"]}]})
    assert not row.left_out
    assert not row.problems
    assert row.details["family_name"] == "Sample \N{GRINNING FACE}"


@pytest.mark.django_db
@pytest.mark.parametrize("options", [(), ("--dry-run",)])
def test_what_became_of_such_texts_is_stored_and_told(import_text, options):
    good = PERSON | {"photo": [{"title": HALF}], "name": [{"family": "Sample\0"}]}
    bad = PERSON | {"name": [{"family": "Sam\0ple"}]}
    code, report = import_text(as_ndjson(good, bad), *options)
    assert (code, counts(report)) == (1, {"new": 1, "rejected": 1})
    assert report["firstProblems"][0]["column"] == "name[0].family"
    if not options:
        fields = ImportJob.objects.get().remarks.values_list("field", flat=True)
        assert sorted(fields) == ["name[0].family", "photo[0].title"]
        assert Patient.objects.get().family_name == "Sample"
