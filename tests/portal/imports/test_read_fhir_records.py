"""What records of one file say of each other: versions, deletions, replacements; and Bundles."""

import json

import pytest

from portal.imports.readers import Unreadable, open_patients
from tests.portal.imports.files import as_ndjson

IDA = {"name": [{"family": "Quarles", "given": ["Ida"]}], "birthDate": "1971-05-09"}


@pytest.fixture
def reasons(file):
    """Returns, for each row of a file, why it is not imported, "" for one that is."""

    def read(content):
        rows = open_patients(file(content)).rows()
        return [str(row.problems[0]) if row.problems else "" for row in rows]

    return read


def bundle(*entries, **members):
    document = {"resourceType": "Bundle", "type": "collection", **members, "entry": entries}
    return json.dumps(document)


def entry(**parts):
    more = {name: parts.pop(name) for name in ("fullUrl", "search", "request") if name in parts}
    return {**more, "resource": {"resourceType": "Patient", **IDA, **parts}}


def replaces(**other):
    return [{"type": "replaces", "other": other}]


def version(number, **parts):
    return {**IDA, "id": "h1", "meta": {"versionId": number}, **parts}


ABSOLUTE = "https://ehr.example/fhir/Patient/a1"


@pytest.mark.parametrize(
    ("old", "link"),
    [
        ({"id": "a1"}, replaces(reference="Patient/a1")),
        ({"id": "a1"}, replaces(reference="Patient/a1/_history/3")),
        ({"id": "a1"}, replaces(reference=ABSOLUTE)),
        (
            {"identifier": [{"system": "urn:x", "value": "1"}]},
            replaces(identifier={"system": "urn:x", "value": "1"}),
        ),
    ],
)
@pytest.mark.parametrize("is_first", [True, False])
def test_a_replaced_record_is_refused_wherever_it_stands(reasons, old, link, is_first):
    new = {**IDA, "id": "a2", "link": link}
    records = [IDA | old, new] if is_first else [new, IDA | old]
    found = reasons(as_ndjson(*records))
    assert found[not is_first].endswith("says that it replaces this record at its source.")
    assert found[is_first] == ""
    assert sorted(map(bool, reasons(bundle(*(entry(**record) for record in records))))) == [0, 1]


def test_a_replaced_record_is_known_by_its_full_url(reasons):
    old = entry(fullUrl="urn:uuid:1")
    new = entry(fullUrl="urn:uuid:2", link=replaces(reference="urn:uuid:1"))
    assert reasons(bundle(new, old))[0] == ""
    assert "Entry 1 of this file" in reasons(bundle(new, old))[1]


@pytest.mark.parametrize(
    "link",
    [
        [{"type": "refer", "other": {"reference": "Patient/a1"}}],
        [{"type": "seealso", "other": {"reference": "Patient/a1"}}],
        replaces(reference="#a1"),
        replaces(),
        [{"type": "replaces"}],
        [{"type": "replaces", "other": "Patient/a1"}],
    ],
)
def test_other_links_replace_nobody(reasons, link):
    assert reasons(as_ndjson({**IDA, "id": "a1"}, {**IDA, "id": "a2", "link": link})) == ["", ""]


def test_a_record_that_replaces_itself_stays(reasons):
    assert reasons(as_ndjson({**IDA, "id": "a1", "link": replaces(reference="Patient/a1")})) == [""]


@pytest.mark.parametrize(
    "records",
    [
        [version("1"), version("10"), version("2")],
        [
            version("x", meta={"lastUpdated": moment})
            for moment in (
                "2026-01-01T00:00:00+02:00",
                "2026-01-01T00:00:00Z",
                "2025-12-31T23:30:00.5Z",
            )
        ],
    ],
)
def test_of_the_versions_in_any_file_the_newest_counts(reasons, records):
    assert list(map(bool, reasons(as_ndjson(*records)))) == [True, False, True]
    found = reasons(bundle(*(entry(**record) for record in records)))
    assert found[0] == "Entry 2 of this file has a newer version of this record."


@pytest.mark.parametrize(
    "other",
    [
        version("2", birthDate="1990-01-01"),
        version("1"),
        {**IDA, "id": "h1"},
        {**IDA, "id": "h1", "meta": {"versionId": 7}},
    ],
)
def test_one_id_of_two_servers_is_no_version(reasons, other):
    assert reasons(as_ndjson(version("1"), other)) == ["", ""]


def test_the_newest_version_of_a_history_may_be_a_deletion(reasons):
    deleted = {"request": {"method": "DELETE", "url": "Patient/h1"}}
    found = reasons(bundle(deleted, entry(id="h1"), type="history"))
    assert found == ["The source has deleted this record: Entry 1 of this file says so."]


@pytest.mark.parametrize(
    ("members", "words"),
    [
        ({"total": 200, "link": [{"relation": "next", "url": "x"}]}, "the other pages"),
        ({"total": 200}, "199 of 200 that this search has found"),
        ({"total": 1, "link": [{"relation": "previous", "url": "x"}]}, "the earlier pages"),
        ({"total": 1}, ""),
        ({"total": 0}, ""),
        ({"total": "200"}, ""),
        ({"link": "next"}, ""),
    ],
)
def test_a_search_that_brings_less_than_it_found_says_so(file, members, words):
    read = open_patients(file(bundle(entry(), type="searchset", **members)))
    assert [words in told for told in read.ignored] == [True] * bool(words)


def test_what_a_search_includes_is_not_counted_as_found(file):
    included = entry(search={"mode": "include"})
    read = open_patients(file(bundle(entry(), included, type="searchset", total=2)))
    assert "1 of 2" in read.ignored[0]


@pytest.mark.parametrize("kind", ["batch", "document", "message", "transaction", "searchset", ""])
def test_the_patients_of_every_kind_of_bundle_are_read(reasons, kind):
    assert reasons(bundle(entry(), None, 7, {}, {"resource": None}, type=kind)) == [""]


def test_an_error_of_the_source_within_a_bundle_is_told(file):
    issue = {"resourceType": "OperationOutcome", "issue": [{"severity": "error"}]}
    read = open_patients(file(bundle(entry(), {"resource": issue})))
    assert "reports an error" in read.ignored[1]


def test_an_error_of_the_source_within_lines_is_told(reasons):
    outcome = '{"resourceType": "OperationOutcome"}\n'
    assert "may not be complete" in reasons(as_ndjson(IDA) + outcome)[1]


@pytest.mark.parametrize(
    ("document", "words"),
    [
        ({"resourceType": "Bundle", "total": 0}, "has no patients"),
        ({"resourceType": "Bundle", "entry": None}, "has no patients"),
        ({"resourceType": "Bundle", "entry": {"resource": {}}}, "neither a FHIR Bundle"),
        ({"resourceType": "Parameters", "parameter": []}, "neither a FHIR Bundle"),
        (
            {"resourceType": "Bundle", "entry": [{"resource": {"resourceType": "Bundle"}}]},
            "other Bundles within this one (1)",
        ),
    ],
)
def test_a_document_without_patients_is_refused(file, document, words):
    with pytest.raises(Unreadable) as refusal:
        open_patients(file(json.dumps(document, indent=1)))
    assert words in str(refusal.value)


def test_several_bundles_in_one_file_are_told(file):
    with pytest.raises(Unreadable, match="several JSON documents"):
        open_patients(file(f"{bundle(entry())}\n{bundle(entry())}\n"))


@pytest.mark.parametrize("is_bundle", [True, False])
def test_a_member_that_comes_twice_costs_its_row_alone(reasons, is_bundle):
    twice = '{"resourceType":"Patient","name":[{"family":"A","family":"B"}]}'
    good = json.dumps({"resourceType": "Patient", **IDA})
    lines = f"{twice}\n{good}\n"
    entries = f'{{"resource":{twice}}},{{"resource":{good}}}'
    document = f'{{"resourceType":"Bundle","entry":[{entries}]}}'
    found = reasons(document if is_bundle else lines)
    assert "one member twice" in found[0]
    assert found[1] == ""


def test_a_backslash_before_u0000_is_text(reasons):
    assert reasons(as_ndjson({**IDA, "contact": [{"name": {"text": "\\u0000"}}]})) == [""]
