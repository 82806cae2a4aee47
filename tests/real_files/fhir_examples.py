"""The examples of HL7 and of test suites, in small."""

from typing import Any

from tests.real_files.fhir_people import (
    DEAD,
    HOME,
    HOME_VALUES,
    MOBILE,
    NO_NAME,
    PARTS,
    PARTS_LEFT_OUT,
    TEST_DATA,
    TEST_META,
    Expected,
    extensions,
    identifier,
    nameless,
    pages,
    patient,
    person,
    typed,
)

_OLD_PHONE = {"system": "phone", "use": "old", "value": "617 555 0100"}
_RANKED = [
    {"use": "home"},
    {"system": "phone", "use": "work", "value": "617 555 0101", "rank": 1},
    {"system": "phone", "use": "mobile", "value": "617 555 0102", "rank": 2},
    _OLD_PHONE,
]
_NAMES = [
    {"use": "official", "family": "Ormond", "given": ["Tilda", "Ann"]},
    {"use": "usual", "given": ["Tilly"]},
    {"use": "maiden", "family": "Prewitt", "given": ["Tilda"], "period": {"end": "2002"}},
]
_BIRTH_TIME = {"extension": [{"url": "urn:birthTime", "valueDateTime": "1974-12-25T14:35:45Z"}]}

EXAMPLES: dict[str, tuple[Any, Expected]] = {
    "active, linked, with a photo": (
        patient(
            active=True,
            photo=[{"contentType": "image/gif", "data": "R0lG"}],
            link=[{"other": {"reference": "Patient/b"}, "type": "seealso"}],
        ),
        Expected([person()], left_out={"photo": 1, "link": 1}),
    ),
    "test data": (patient(meta=TEST_META), Expected(reasons=[TEST_DATA])),
    "an animal, with a given name alone": (
        patient(name=[{"use": "usual", "given": ["Rex"]}], extension=extensions(1), **PARTS),
        Expected([{"given_name": "Rex"}], left_out={"extension": 1, **PARTS_LEFT_OUT}),
    ),
    "two given names, and an extension of the sex": (
        patient(
            name=[{"family": "Ormond", "given": ["Tilda", "D"]}],
            gender="other",
            _gender={"extension": extensions(1)},
        ),
        Expected([person(middle_name="D", sex="other")], left_out={"extension": 1}),
    ),
    "died by a moment of another time zone": (
        patient(birthDate="1982-01-23", deceasedDateTime="2015-02-14T13:42:00+10:00"),
        Expected([person(date_of_birth="1982-01-23", deceased_on="2015-02-14")]),
    ),
    "died, as a flag": (patient(deceasedBoolean=True), Expected(reasons=[DEAD])),
    "a name of ideographs as text": (
        patient(
            name=[{"use": "official", "text": "王小明"}],
            identifier=[identifier("31X", period={"start": "2001-05-06"})],
            address=[{"line": ["马当路1号"], "city": "上海市", "district": "卢湾区"}],
        ),
        Expected(
            [
                {
                    "family_name": "王小明",
                    "address_line1": "马当路1号",
                    "city": "上海市",
                    "identifiers": ["urn:clinic|31X|2001-05-06"],
                }
            ],
            left_out={"district": 1},
        ),
    ),
    "a family name of a machine": (
        patient(name=[{"family": "UNIT_TEST"}], extension=extensions(4)),
        Expected([{"family_name": "UNIT_TEST"}], left_out={"extension": 4}),
    ),
    "a country of three letters, an identifier without a value": (
        patient(
            identifier=[{"use": "usual", "system": "urn:bsn"}],
            multipleBirthBoolean=True,
            maritalStatus={"coding": [{"code": "M", "display": "Married"}]},
            address=[{**HOME, "country": "NLD"}],
        ),
        Expected(
            [person(marital_status="M", country="NL", **HOME_VALUES)],
            left_out={"identifier": 1, "multiple birth": 1},
        ),
    ),
    "one stand-in twice, two words in a given name, codes of two systems": (
        patient(
            given="Tilda Ann",
            identifier=[identifier("123456789", "urn:bsn"), identifier("123456789", "urn:bsn")],
            maritalStatus={"coding": [{"code": "36629006"}, {"code": "M"}]},
            telecom=[{"system": "phone", "use": "mobile", "value": "+31612345678"}, MOBILE],
        ),
        Expected(
            [person(given="Tilda Ann", marital_status="M", phone="+31612345678")],
            left_out={"value": 1, "phone": 1},
        ),
    ),
    "capitals, and an identifier without a system": (
        patient("ORMOND", "TILDA", identifier=[typed("PI", "HO2009001")]),
        Expected([person("ORMOND", "TILDA")], left_out={"identifier": 1}),
    ),
    "an unborn child": (nameless(), Expected(reasons=[NO_NAME])),
    "a mother with the name of her birth": (
        patient(
            name=[
                {"use": "maiden", "family": "Prewitt", "given": ["Tilda"]},
                {"use": "official", "family": "Ormond", "given": ["Tilda"]},
            ]
        ),
        Expected([person()], left_out={"name": 1}),
    ),
    "a twin with the hour of its birth": (
        patient(
            birthDate="2017-05-15",
            _birthDate=_BIRTH_TIME,
            multipleBirthInteger=1,
            identifier=[typed("MR", "MRN7", system="urn:hospital")],
        ),
        Expected(
            [person(date_of_birth="2017-05-15", identifiers=["urn:hospital|MRN7"])],
            left_out={"extension": 1, "multiple birth": 1},
        ),
    ),
    "a social security number, a lone line of address": (
        patient(
            identifier=[typed("SS", "900120031", system="http://hl7.org/fhir/sid/us-ssn")],
            telecom=[{"system": "phone", "value": "617 555 0103"}],
            address=[{"use": "home", "line": ["2222 Home Street"]}],
        ),
        Expected(
            [
                person(
                    phone="617 555 0103",
                    address_line1="2222 Home Street",
                    identifiers=["ssn|900120031"],
                )
            ]
        ),
    ),
    "a newborn without a name": (
        nameless(birthDate="2017-09-05", multipleBirthInteger=2),
        Expected(reasons=[NO_NAME]),
    ),
    "a stand-in alone": (
        nameless(identifier=[typed("SS", "999999999")]),
        Expected(reasons=[NO_NAME]),
    ),
    "an address of the US": (
        patient(address=[{**HOME, "state": "MA", "country": "USA"}]),
        Expected([person(region="MA", country="US", **HOME_VALUES)]),
    ),
    "all of it": (
        patient(
            name=_NAMES,
            telecom=_RANKED,
            deceasedBoolean=False,
            birthDate="1974-12-25",
            _birthDate=_BIRTH_TIME,
            identifier=[identifier("12345", use="usual", period={"start": "2001-05-06"})],
            address=[{**HOME, "use": "home", "district": "Rainbow"}],
            **PARTS,
        ),
        Expected(
            [
                person(
                    middle_name="Ann",
                    preferred_name="Tilly",
                    phone="617 555 0101",
                    date_of_birth="1974-12-25",
                    identifiers=["urn:clinic|12345|2001-05-06"],
                    **HOME_VALUES,
                )
            ],
            left_out={"name": 1, "phone": 2, "district": 1, "extension": 1, **PARTS_LEFT_OUT},
        ),
    ),
    "a period that ends within its first day": (
        patient(
            identifier=[
                identifier("1", period={"start": "2001-05-06", "end": "2001-05-06T10:10:10Z"})
            ]
        ),
        Expected([person(identifiers=["urn:clinic|1|2001-05-06|2001-05-06"])]),
    ),
    "a suffix and a narrative": (
        patient(
            name=[{"family": "Ormond", "given": ["Tilda"], "suffix": ["The 7th"]}],
            text={"status": "generated", "div": "<div>Tilda</div>"},
            generalPractitioner=[{"display": "Dr X"}],
        ),
        Expected([person(suffix="The 7th")], left_out={"practitioner": 1}),
    ),
    "a script in a name": (
        patient(name=[{"text": "Ormond <script>x</script>"}]),
        Expected([{"family_name": "Ormond <script>x</script>"}]),
    ),
    "a script in the narrative": (
        patient(name=[{"text": "Ormond"}], text={"div": "<script>x</script>"}),
        Expected([{"family_name": "Ormond"}]),
    ),
    "contained resources of one id": (
        nameless(contained=[{"id": "p"}, {"id": "p"}]),
        Expected(reasons=[NO_NAME]),
    ),
    "one member twice": (
        '{"resourceType": "Patient", "active": true, "name": [{"family": "X"}], "active": false}',
        Expected(reasons=["one member twice"]),
    ),
    "a null before the given name, in a maiden name": (
        patient(
            name=[
                {
                    "use": "maiden",
                    "family": "Prewitt",
                    "given": [None, "Gus"],
                    "_given": [{"extension": extensions(1)}, None],
                    "period": {"end": "2002"},
                }
            ]
        ),
        Expected([person("Prewitt", "Gus")]),
    ),
    "an identifier of hundreds of characters": (
        patient(identifier=[identifier("A" * 400)]),
        Expected(reasons=["identifier (urn:clinic): An identifier's system or value is too long."]),
    ),
    "a byte order mark, and a member that FHIR does not have": (
        "\ufeff" + pages(patient(name1=[{"family": "Ormond"}])),
        Expected([person()], left_out={"part that FHIR does not have": 1}),
    ),
    "a name under a wrong member": (
        nameless(name1=[{"family": "Ormond"}]),
        Expected(reasons=[NO_NAME]),
    ),
}
