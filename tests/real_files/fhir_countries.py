"""Patients by the profiles of countries, in small."""

from typing import Any

from tests.real_files.fhir_people import (
    DEAD,
    ENDED,
    HOME,
    HOME_VALUES,
    HTEST,
    NO_NAME,
    PARTS,
    PARTS_LEFT_OUT,
    TEST_DATA,
    US_CORE,
    Expected,
    accuracy,
    extensions,
    identifier,
    lines,
    nameless,
    patient,
    person,
    spelling,
    typed,
    us_core,
)

_IHI = "http://ns.electronichealth.net.au/id/hi/ihi/1.0"
_MEDICARE = "http://ns.electronichealth.net.au/id/medicare-number"
_NHS = "https://fhir.nhs.uk/Id/nhs-number"
_RESTRICTED = {"security": [{"code": "R", "display": "restricted"}]}
_ENGLISH = {"language": {"coding": [{"code": "en"}]}}
_MAKATON = {"language": {"coding": [{"code": "bfi"}]}, "preferred": True}
_PDS = {
    "identifier": [identifier("9000000009", _NHS)],
    "name": [{"use": "usual", "family": "Ormond", "given": ["Tilda"], "period": ENDED}],
    "telecom": [
        {"system": "phone", "value": "01632 960587", "use": "home", "period": ENDED},
        {"system": "email", "value": "t@example.org", "use": "home", "period": ENDED},
    ],
    "address": [
        {**HOME, "use": "home", "period": ENDED},
        {**HOME, "use": "temp", "period": ENDED},
    ],
}
_PDS_PERSON = person(identifiers=[f"{_NHS}|9000000009"])

COUNTRIES: dict[str, tuple[Any, Expected]] = {
    "birth date accuracy, with names": (
        lines(
            *(
                patient(f"Ormond{code}", **accuracy(code))
                for code in ("AAA", "UAA", "UEA", "AAU", "UUU")
            )
        ),
        Expected(
            [
                person("OrmondAAA", date_of_birth="1956-08-23"),
                person("OrmondUAA", date_of_birth="1956-08-01", date_of_birth_precision="month"),
                person("OrmondUEA", date_of_birth="1956-01-01", date_of_birth_precision="year"),
                person("OrmondAAU"),
                person("OrmondUUU"),
            ],
            left_out={"date of birth that is not accurate": 2},
        ),
    ),
    **{
        f"birth date accuracy {code}, without a name": (
            nameless(**accuracy(code)),
            Expected(reasons=[NO_NAME]),
        )
        for code in ("AAA", "AAU", "UAA", "UEA", "UUU")
    },
    "several extensions of sex and gender": (
        patient(
            name=[
                {"use": "official", "family": "Roth", "given": ["Patrick"]},
                {"use": "usual", "family": "Roth", "given": ["Pat"]},
                {"use": "usual", "family": "Roth", "given": ["Patricia"]},
            ],
            gender="male",
            extension=extensions(6),
        ),
        Expected(
            [person("Roth", "Patrick", preferred_name="Pat", sex="male")],
            left_out={"name": 1, "extension": 6},
        ),
    ),
    "an ended number, and a country by its name": (
        patient(
            identifier=[
                identifier("8003608833357361", _IHI),
                identifier("32788511952", _MEDICARE, period={"end": "2019-05"}),
            ],
            address=[{**HOME, "country": "Australia"}],
        ),
        Expected(
            [
                person(
                    country="AU",
                    identifiers=[
                        f"{_IHI}|8003608833357361",
                        f"{_MEDICARE}|32788511952||2019-05-31",
                    ],
                    **HOME_VALUES,
                )
            ]
        ),
    ),
    "three people with one health number": (
        lines(
            *(
                patient(family, given, birthDate=born, identifier=[identifier("8003608", _IHI)])
                for family, given, born in (
                    ("Franklin", "Stella", "1985-10-14"),
                    ("Dan", "Harry", "1939-08-25"),
                    ("Jones", "Nicholas", "1949-01-08"),
                )
            )
        ),
        Expected(
            [
                person(
                    "Franklin",
                    "Stella",
                    date_of_birth="1985-10-14",
                    identifiers=[f"{_IHI}|8003608"],
                )
            ],
            reasons=["belongs to the patient of row 1, who differs"] * 2,
        ),
    ),
    "no date of birth": (patient(gender="female"), Expected([person(sex="female")])),
    "a child with a contact": (
        patient(birthDate="2008-08-08", **PARTS),
        Expected([person(date_of_birth="2008-08-08")], left_out=PARTS_LEFT_OUT),
    ),
    "the child's mother, linked": (
        patient(link=[{"other": {"reference": "RelatedPerson/m"}, "type": "seealso"}]),
        Expected([person()], left_out={"link": 1}),
    ),
    "an interpreter": (
        patient(
            communication=[{"language": {"coding": [{"code": "pjt"}]}}], extension=extensions(2)
        ),
        Expected([person(language="pjt")], left_out={"extension": 2}),
    ),
    "an accent, and one number with two types": (
        patient("Hernández", "Alejandro", identifier=[typed("MB", "8279115", system="urn:fund")]),
        Expected([person("Hernández", "Alejandro", identifiers=["insurance|8279115"])]),
    ),
    "maiden and present name, and a residence of another state": (
        patient(
            name=[
                {
                    "use": "official",
                    "family": "Beispiel",
                    "given": ["Maja", "Julia"],
                    "prefix": ["Dr."],
                },
                {"use": "maiden", "family": "Muster"},
            ],
            gender="other",
            _gender={"extension": extensions(1)},
            identifier=[typed("KVZ10", "Z234567890", system="http://fhir.de/sid/gkv/kvid-10")],
            address=[{"line": ["Weg 2"], "city": "Köln", "state": "DE-NW", "country": "DE"}],
        ),
        Expected(
            [
                person(
                    "Beispiel",
                    "Maja",
                    middle_name="Julia",
                    prefix="Dr.",
                    sex="other",
                    address_line1="Weg 2",
                    city="Köln",
                    region="DE-NW",
                    country="DE",
                    identifiers=["http://fhir.de/sid/gkv/kvid-10|Z234567890"],
                )
            ],
            left_out={"name": 1, "extension": 1},
        ),
    ),
    "test data by a security label": (
        patient(meta={"security": [HTEST]}),
        Expected(reasons=[TEST_DATA]),
    ),
    "a pseudonym instead of a name": (
        nameless(identifier=[typed("PSEUDED", "X1", system="urn:pseudonyms")]),
        Expected(reasons=[NO_NAME]),
    ),
    "ended name, phone and addresses": (
        patient(**_PDS),
        Expected([_PDS_PERSON], left_out={"phone": 1, "e-mail": 1, "address": 2}),
    ),
    "a restricted record": (
        patient(meta=_RESTRICTED, **_PDS),
        Expected([_PDS_PERSON], left_out={"restricted telecom": 2, "restricted address": 2}),
    ),
    "died on the day of birth, in words of a time": (
        patient(birthDate="2010-10-22", deceasedDateTime="2010-10-22T00:00:00+00:00"),
        Expected([person(date_of_birth="2010-10-22", deceased_on="2010-10-22")]),
    ),
    "an answer that is an error": (
        '{\n "resourceType": "OperationOutcome",\n "issue": []}',
        Expected(message="neither a FHIR Bundle with entries nor a Patient"),
    ),
    "a baby whose number was verified": (
        patient(identifier=[identifier("9912003890", _NHS, extension=extensions(1))]),
        Expected([person(identifiers=[f"{_NHS}|9912003890"])]),
    ),
    "a sign language": (patient(communication=[_MAKATON]), Expected([person(language="bfi")])),
    "several languages": (
        patient(communication=[_ENGLISH, _MAKATON]),
        Expected([person(language="bfi")], left_out={"language": 1}),
    ),
    "a photo alone": (nameless(photo=[{"title": "x"}]), Expected(reasons=[NO_NAME])),
    "race and ethnicity, an old name and an old address": (
        patient(
            name=[
                {"use": "old", "family": "Shaw", "given": ["Amy"], "period": {"end": "2020-07-22"}},
                {"family": "Baxter", "given": ["Amy"], "period": {"start": "2020-07-22"}},
            ],
            address=[
                {**HOME, "period": {"start": "2016-12-06", "end": "2020-07-22"}},
                {"line": ["183 View St"], "city": "Mounds", "period": {"start": "2020-07-22"}},
            ],
            extension=[
                us_core("race", "White"),
                us_core("ethnicity", "Hispanic or Latino"),
                {"url": US_CORE + "birthsex", "valueCode": "F"},
            ],
        ),
        Expected(
            [
                person(
                    "Baxter",
                    "Amy",
                    address_line1="183 View St",
                    city="Mounds",
                    race="White",
                    ethnicity="Hispanic or Latino",
                )
            ],
            left_out={"name": 1, "address": 1, "extension": 1},
        ),
    ),
    "died at a moment of the US": (
        patient(deceasedDateTime="2022-07-22T21:36:14-06:00"),
        Expected([person(deceased_on="2022-07-22")]),
    ),
    "an old number, an old name and a nickname": (
        patient(
            identifier=[
                identifier("ZZZ0016", "urn:nhi", use="official"),
                identifier("ZAA0024", "urn:nhi", use="old", period={"end": "2019-04-01"}),
            ],
            name=[
                {"use": "old", "family": "Hartley", "given": ["Mere"], "period": ENDED},
                {
                    "use": "official",
                    "family": "Ngata",
                    "given": ["Mere"],
                    "period": {"start": "2012"},
                },
                {"use": "nickname", "given": ["Roha"]},
            ],
        ),
        Expected(
            [
                person(
                    "Ngata",
                    "Mere",
                    preferred_name="Roha",
                    identifiers=["urn:nhi|ZAA0024||2019-04-01", "urn:nhi|ZZZ0016"],
                )
            ],
            left_out={"name": 1},
        ),
    ),
    "kana beside kanji, and an address as text": (
        patient(
            name=[spelling("SYL", "モリカワ", "ハナ"), spelling("IDE", "森川", "花")],
            address=[{"text": "東京都新宿区例町1-2-3", "postalCode": "160-0023"}],
        ),
        Expected(
            [person("森川", "花", address_line1="東京都新宿区例町1-2-3", postal_code="160-0023")],
            left_out={"name": 1},
        ),
    ),
    "an old address, and a country of three letters": (
        patient(
            address=[{**HOME, "use": "old"}, {"use": "home", "city": "Zürich", "country": "CHE"}]
        ),
        Expected([person(city="Zürich", country="CH")], left_out={"address": 1}),
    ),
    "the year of death alone": (patient(deceasedDateTime="2015"), Expected(reasons=[DEAD])),
    "nulls in a name and an address": (
        patient(
            name=[{"family": "Prewitt", "given": [None, "Gus", "Otto"]}],
            address=[{"line": [None, "Flat 2"], "_line": [{"extension": []}, None]}],
        ),
        Expected([person("Prewitt", "Gus", middle_name="Otto", address_line1="Flat 2")]),
    ),
}
