"""FHIR Patients: the dead, unused and hidden ones, and the right one of several parts."""

import json

import pytest

from portal.imports.matching.row import check_row
from portal.imports.readers import Unreadable, open_patients
from tests.portal.imports.files import as_ndjson

TILDA = {"name": [{"family": "Ormond", "given": ["Tilda"]}], "birthDate": "1934-03-15"}
ENDED = {"end": "2010-01-01"}


@pytest.fixture
def read(file):
    """Returns the only row of a resource with these parts."""

    def read_parts(**parts):
        [row] = open_patients(file(as_ndjson(TILDA | parts))).rows()
        return row

    return read_parts


@pytest.fixture
def bundle(file):
    """Returns the reader of a Bundle with these entries."""

    def open_bundle(*entries, **members):
        document = {"resourceType": "Bundle", "type": "collection", **members, "entry": entries}
        return open_patients(file(json.dumps(document)))

    return open_bundle


def entry(**parts):
    return {"resource": {"resourceType": "Patient", **TILDA, **parts}}


@pytest.mark.parametrize(
    ("parts", "words"),
    [
        ({"deceasedBoolean": True}, "has died"),
        ({"deceasedDateTime": "2015"}, "has died"),
        ({"deceasedDateTime": "2015-02"}, "has died"),
        ({"deceasedDateTime": "02/14/2015"}, "has died"),
        ({"deceasedBoolean": True, "deceasedDateTime": "2015"}, "has died"),
        ({"_deceasedDateTime": {"extension": [{"valueCode": "unknown"}]}}, "has died"),
        ({"deceased": True}, "has died"),
        ({"deceasedAge": {"value": 80}}, "has died"),
        ({"deceasedBoolean": False, "deceasedDateTime": "2015-02-14"}, "alive, and to have died"),
        ({"deceasedBoolean": "true"}, "must be true or false"),
        ({"active": "false"}, "must be true or false"),
        ({"modifierExtension": [{"url": "urn:x"}]}, "changes what this record means"),
        ({"meta": {"security": [{"code": "HTEST"}]}}, "test data"),
        ({"birthDate": "3/4/1984"}, "must be a date of FHIR"),
        ({"birthDate": "840304"}, "must be a date of FHIR"),
        ({"link": [{"type": "replaced-by", "other": {}}]}, "Another record has replaced"),
        ({"meta": {"tag": [{"code": "HTEST"}]}}, "test data"),
    ],
)
def test_nobody_comes_in_as_someone_else(read, parts, words):
    assert words in str(read(**parts).problems[0])


@pytest.mark.parametrize(
    "parts",
    [
        {"deceasedBoolean": None, "deceasedDateTime": None, "active": None, "link": [None]},
        {"meta": {"tag": [{"system": "urn:other", "code": "HTEST"}]}},
        {"meta": None, "name": [None, *TILDA["name"]], "telecom": None, "address": [None]},
        {"_birthDate": None, "_name": None, "gender": None, "_gender": {"extension": None}},
        {"identifier": [None, {}], "communication": [None, {"language": None}], "extension": []},
    ],
)
def test_nulls_and_other_peoples_tags_cost_nothing(read, parts):
    assert not read(**parts).problems


def test_a_day_of_death_is_taken_and_alive_is_alive(read):
    dead = read(deceasedDateTime="2015-02-14T10:00:00+13:00")
    assert dead.details["deceased_on"] == "2015-02-14"
    assert not read(deceasedBoolean=False).problems


def test_an_unused_record_is_read_as_archived(read):
    assert read(active=False).is_archived
    assert not read(active=True).is_archived


@pytest.mark.parametrize(
    "label", [{"code": "R"}, {"code": "V"}, {"code": "r"}, {"display": "Restricted"}]
)
def test_contact_and_address_of_a_restricted_record_are_left_out(read, label):
    row = read(
        meta={"security": [label, {"code": "N"}]},
        telecom=[{"system": "phone", "value": "617 555 0101"}],
        address=[{"city": "Salem"}],
    )
    assert not {"phone", "email", "city"} & row.details.keys()
    assert row.parts_left_out == {"restricted telecom": 1, "restricted address": 1}


def test_a_part_that_is_hidden_or_has_a_condition_is_left_out(read):
    url = "http://hl7.org/fhir/uv/security-label-ds4p/inline-sec-label"
    hidden = {"extension": [{"url": url, "valueCoding": {"code": "R"}}]}
    conditional = {"modifierExtension": [{"url": "urn:not-this-patient"}]}
    row = read(
        telecom=[{"system": "phone", "value": "617 555 0101", **hidden}],
        address=[{"city": "Salem", **conditional}],
    )
    assert not {"phone", "city"} & row.details.keys()
    assert row.parts_left_out == {"restricted telecom": 1, "address with a condition": 1}


def test_a_label_that_hides_nothing_is_counted_if_it_says_something(read):
    labels = [{"code": "N"}, {"code": "NORDSCLCD"}]
    assert read(meta={"security": labels}).parts_left_out == {"security label": 1}


@pytest.mark.parametrize(
    ("names", "family", "given"),
    [
        (
            [
                {"use": "official", "family": "Old", "period": ENDED},
                {"use": "official", "family": "New"},
            ],
            "New",
            None,
        ),
        ([{"use": "official"}, {"use": "usual", "family": "Second"}], "Second", None),
        ([{"use": "maiden", "family": "Wolff", "given": [None, "Anna"]}], "Wolff", "Anna"),
        ([{"use": "usual", "family": "Past", "period": ENDED}], "Past", None),
        ([{"text": "SMITH, Jane (Ms)"}], "SMITH", "Jane"),
        ([{"use": "official", "family": "?"}, {"use": "usual", "family": "Moss"}], "Moss", None),
        ([{"family": ["van", "Moss"], "given": ["Jane"]}], "van Moss", "Jane"),
        (
            [
                {"family": "Later", "period": {"start": "2199-01-01"}},
                {"family": "Now", "use": "temp"},
            ],
            "Now",
            None,
        ),
        (
            [
                {"family": "Odd", "period": {"start": "once", "end": 7}},
                {"use": "old", "family": "X"},
            ],
            "Odd",
            None,
        ),
        ([{"family": "Moss", "text": "Jane Moss"}], "Moss", "Jane"),
        ([{"text": "Unknown person"}], "Unknown person", None),
        (
            [
                {
                    "family": "モリカワ",
                    "extension": [{"url": "urn:representation", "valueCode": "SYL"}],
                },
                {"family": "森川"},
            ],
            "森川",
            None,
        ),
    ],
)
def test_the_right_name_is_taken(read, names, family, given):
    row = read(name=names)
    assert (row.details["family_name"], row.details.get("given_name")) == (family, given)


@pytest.mark.parametrize(
    ("names", "preferred", "left_out"),
    [
        ([{"use": "nickname", "given": ["Tilly"]}], "Tilly", {}),
        ([{"use": "nickname", "family": "Tilly"}], "Tilly", {}),
        ([{"use": "nickname", "given": ["Tilly"], "period": ENDED}], None, {"name": 1}),
        ([{"use": "usual", "given": ["Tilly"]}], "Tilly", {}),
        ([{"use": "usual", "family": "Ormond", "given": ["Tilly"]}], "Tilly", {}),
        ([{"use": "usual", "family": "Moss", "given": ["Tilly"]}], None, {"name": 1}),
        ([{"use": "temp", "family": "Moss"}], None, {"name": 1}),
    ],
)
def test_what_the_patient_likes_to_be_called_is_read(read, names, preferred, left_out):
    row = read(name=[{"use": "official", "family": "Ormond", "given": ["Tilda"]}, *names])
    assert row.details["family_name"] == "Ormond"
    assert row.details.get("preferred_name") == preferred
    assert row.parts_left_out == left_out


def test_a_nickname_alone_is_a_name(read):
    row = read(name=[{"use": "nickname", "given": ["Tilly"]}])
    assert row.details["given_name"] == "Tilly"


@pytest.mark.parametrize(
    ("points", "field", "value"),
    [
        (
            [{"system": "phone", "value": "unknown"}, {"system": "phone", "value": "617 555 0101"}],
            "phone",
            "617 555 0101",
        ),
        (
            [{"system": "email", "value": "none"}, {"system": "email", "value": "a@example.org"}],
            "email",
            "a@example.org",
        ),
        (
            [
                {"system": "phone", "value": "617 555 0101", "rank": True},
                {"system": "phone", "value": "617 555 0102", "rank": 1},
            ],
            "phone",
            "617 555 0102",
        ),
        (
            [
                {"system": "phone", "value": "617 555 0101", "period": {"start": "2199"}},
                {"system": "sms", "value": "617 555 0102"},
            ],
            "phone",
            "617 555 0102",
        ),
        ([{"value": "617 555 0101"}], "phone", "617 555 0101"),
        ([{"value": "a@example.org"}], "email", "a@example.org"),
        ([{"system": "email", "value": "mailto:a@example.org"}], "email", "a@example.org"),
        ([{"system": "phone"}, {"system": "phone", "value": "2"}], "phone", "2"),
        (
            [
                {"system": "phone", "value": "1", "rank": 2},
                {"system": "phone", "value": "2", "rank": 1},
            ],
            "phone",
            "2",
        ),
        (
            [
                {"system": "phone", "use": "home", "value": "1", "period": ENDED},
                {"system": "phone", "use": "work", "value": "2"},
            ],
            "phone",
            "2",
        ),
    ],
)
def test_the_right_point_of_contact_is_taken(read, points, field, value):
    assert read(telecom=points).details[field] == value


def test_the_present_address_is_taken_also_as_text(read):
    old = {"use": "home", "city": "Elsewhere", "period": ENDED}
    row = read(address=[old, {"line": [None, "Flat 2"], "city": "Salem"}])
    assert (row.details["address_line1"], row.details["city"]) == ("Flat 2", "Salem")
    assert row.parts_left_out == {"address": 1}
    text = read(address=[{"text": "1 Row\nSalem", "postalCode": "01970"}])
    assert text.details["address_line1"] == "1 Row, Salem"
    beside = read(address=[{"text": "1 Row, Salem, 01970", "city": "Salem", "postalCode": "01970"}])
    assert (beside.details["address_line1"], beside.details["city"]) == ("1 Row", "Salem")


def test_an_address_for_post_alone_stands_behind_the_home(read):
    row = read(address=[{"type": "postal", "city": "Box 7"}, {"type": "physical", "city": "Salem"}])
    assert (row.details["city"], row.parts_left_out) == ("Salem", {"address": 1})


@pytest.mark.parametrize(
    ("period", "days", "left_out"),
    [
        ({"start": "0001-01-01"}, {}, {"period of an identifier": 1}),
        ({"end": "2019-02-30"}, {}, {"period of an identifier": 1}),
        ({"start": "2020", "end": "2019"}, {}, {"period of an identifier": 1}),
        ("2019", {}, {"period of an identifier": 1}),
        ({"start": None, "end": "9999-12-31"}, {"valid_to": "9999-12-31"}, {}),
        ({}, {}, {}),
    ],
)
def test_days_that_do_not_exist_cost_themselves_alone(read, period, days, left_out):
    row = read(identifier=[{"system": "urn:x", "value": "1", "period": period}])
    assert row.details["identifiers"] == [{"system": "urn:x", "value": "1", **days}]
    assert row.parts_left_out == left_out
    assert check_row(row).details["identifiers"][0]["value"] == "1"


@pytest.mark.parametrize("is_first", [True, False])
def test_a_number_that_stands_twice_has_the_days_of_the_present_one(read, is_first):
    ended, present = ({"system": "urn:x", "value": "1", **more} for more in ({"period": ENDED}, {}))
    row = read(identifier=[ended, present] if is_first else [present, ended])
    assert row.details["identifiers"] == [{"system": "urn:x", "value": "1"}]


def test_the_first_code_that_says_something_is_taken(read):
    row = read(
        communication=[{"language": {"coding": [{"display": "?"}, {"code": "es"}]}}],
        maritalStatus={"coding": [{"code": "36629006"}, {"code": "M"}]},
    )
    assert (row.details["language"], row.details["marital_status"]) == ("es", "M")


def test_a_race_that_an_older_profile_writes_is_read(read):
    race = "http://hl7.org/fhir/us/core/StructureDefinition/us-core-race"
    concept = {"coding": [{"display": "White"}, {"display": "Asian"}]}
    assert read(extension=[{"url": race, "valueCodeableConcept": concept}]).details["race"] == (
        "White, Asian"
    )
    assert read(extension=[{"url": race}]).parts_left_out == {"extension": 1}


def test_what_has_no_place_is_counted_by_kind(read):
    phones = [{"system": "phone", "value": "1"}, {"system": "phone", "value": "2"}]
    row = read(
        contact=[{"name": {"text": "Somebody"}}],
        telecom=[*phones, {"system": "secret words", "value": "3"}],
        identifier=[{"value": "7"}],
    )
    assert row.parts_left_out == {
        "contact": 1,
        "phone": 1,
        "other contact point": 1,
        "identifier": 1,
    }


def test_an_identifier_keeps_its_days(read):
    row = read(
        identifier=[
            {"system": "urn:old", "value": "1", "use": "old", "period": {"end": "2019-02"}},
            {"system": "urn:new", "value": "2", "period": {"start": "2020"}},
        ]
    )
    assert row.details["identifiers"] == [
        {"system": "urn:old", "value": "1", "valid_to": "2019-02-28"},
        {"system": "urn:new", "value": "2", "valid_from": "2020-01-01"},
    ]


@pytest.mark.parametrize(
    ("code", "born"),
    [("AAA", "1934-03-15"), ("UAA", "1934-03"), ("UEA", "1934"), ("AAU", None), ("UUU", None)],
)
def test_only_the_accurate_part_of_a_date_of_birth_is_taken(read, code, born):
    url = "http://hl7.org.au/fhir/StructureDefinition/date-accuracy-indicator"
    accuracy = {"extension": [{"url": url, "valueCoding": {"code": code}}]}
    row = read(_birthDate=accuracy)
    assert row.details.get("date_of_birth") == born
    assert bool(row.parts_left_out) == (born is None)


def test_a_value_that_is_not_understood_costs_itself_alone(read):
    row = read(telecom=[{"system": "email", "value": "none"}], address=[{"country": "Nowhereland"}])
    checked = check_row(row)
    assert checked.details["family_name"] == "Ormond"
    assert not {"email", "country"} & checked.details.keys()
    assert checked.source.parts_left_out == {
        "e-mail that is not understood": 1,
        "country that is not understood": 1,
    }


def test_only_the_newest_version_of_a_history_is_a_patient(bundle):
    old, new = ({"id": "h1", "meta": {"versionId": version}} for version in ("1", "2"))
    deleted = {"request": {"method": "DELETE", "url": "Patient/h9"}}
    file = bundle(entry(**old), entry(**new), deleted, entry(id="h9"), type="history")
    older, newest, gone = file.rows()
    assert "newer version" in str(older.problems[0])
    assert not newest.problems
    assert "deleted" in str(gone.problems[0])


def test_a_search_with_more_pages_and_entries_of_others_are_told(bundle):
    other = {"resource": {"resourceType": "Organization"}}
    file = bundle(entry(), other, type="searchset", link=[{"relation": "next", "url": "x"}])
    assert "no patients (1)" in file.ignored[0]
    assert "other pages" in file.ignored[1]


def test_a_bundle_without_patients_is_refused(bundle):
    with pytest.raises(Unreadable, match="has no patients"):
        bundle({"resource": {"resourceType": "Organization"}})


NESTED = "[" * 10_000 + "]" * 10_000


@pytest.mark.parametrize("start", ["", "\n"])
def test_a_bundle_that_is_nested_too_deeply_is_told(file, start):
    document = f'{{{start}"resourceType":"Bundle","entry":{NESTED}}}'
    with pytest.raises(Unreadable, match="nested too deeply"):
        open_patients(file(document))


def test_a_line_that_is_nested_too_deeply_costs_itself_alone(file):
    line = f'{{"resourceType":"Patient","contact":{NESTED}}}\n'
    deep, good = open_patients(file(line + as_ndjson(TILDA))).rows()
    assert "nested too deeply" in str(deep.problems[0])
    assert not good.problems


def test_brackets_in_texts_are_no_depth(read):
    assert not read(contact=[{"name": {"text": '["\\' * 500}}]).problems
