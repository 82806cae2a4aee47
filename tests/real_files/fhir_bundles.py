"""Bundles of every kind, and JSON that is none, in small."""

from tests.real_files.fhir_people import Expected, bundle, identifier, patient, person, typed

_BORN = "1962-07-12"
_DEEP = "[" * 50_000 + "]" * 50_000
_OTHER = {"resourceType": "OperationOutcome", "issue": [{"severity": "information"}]}


def _version(number: str, family: str, method: str) -> dict:
    resource = patient(family, "Abel", id="h1", meta={"versionId": number}, birthDate=_BORN)
    return {"resource": resource, "request": {"method": method, "url": "Patient/h1"}}


def _alike(given: str, record: str) -> dict:
    number = typed("MR", "123456789")
    return patient("Ormond", given, id=record, birthDate=_BORN, identifier=[number])


def _key(last: int) -> str:
    return f"record-id|{_ID.replace('-', '').upper()}{last}"


_ID = "2fdd0b8b-4a70-11eb-99fd-ad786a82157"

BUNDLES: dict[str, tuple[str, Expected]] = {
    "a collection of many": (
        bundle(*(patient(f"Ormond{letter}") for letter in "ABC")),
        Expected([person(f"Ormond{letter}") for letter in "ABC"]),
    ),
    "a transaction": (
        bundle(
            {"resource": patient(), "request": {"method": "POST", "url": "Patient"}},
            kind="transaction",
        ),
        Expected([person()]),
    ),
    "a history": (
        bundle(
            _version("2", "Rusk", "PUT"),
            _version("1", "Rusck", "POST"),
            {"request": {"method": "DELETE", "url": "Patient/h9"}},
            _OTHER,
            kind="history",
        ),
        Expected(
            [person("Rusk", "Abel", date_of_birth=_BORN)],
            reasons=["Entry 1 of this file has a newer version"],
            elsewhere=["no patients (2)"],
        ),
    ),
    "an unused record and the one that replaced it": (
        bundle(
            patient(
                "Quarles",
                "Ida",
                id="a1",
                active=False,
                link=[{"type": "replaced-by", "other": {"reference": "Patient/a2"}}],
            ),
            patient(
                "Quarles",
                "Ida",
                id="a2",
                active=True,
                identifier=[identifier("900120002", "ssn")],
                link=[{"type": "replaces", "other": {"reference": "Patient/a1"}}],
            ),
        ),
        Expected(
            [person("Quarles", "Ida", identifiers=["ssn|900120002"])],
            reasons=["Entry 2 of this file says that it replaces this record"],
            left_out={"link": 1},
        ),
    ),
    "a Bundle without a type, one id with several names": (
        bundle(
            _alike("Jan", f"{_ID}0"),
            _alike("Jonathan", f"{_ID}4"),
            _alike("Jona", f"{_ID}4"),
            {"request": {"method": "GET", "url": "x"}},
        ).replace(' "type": "collection",\n', ""),
        Expected(
            [
                person(given="Jan", date_of_birth=_BORN, identifiers=[_key(0)]),
                person(given="Jonathan", date_of_birth=_BORN, identifiers=[_key(4)]),
            ],
            reasons=["belongs to the patient of row 2, who differs"],
            left_out={"value": 2},
            elsewhere=["no patients (1)"],
        ),
    ),
    "an array": (f"{_DEEP}", Expected(message="This is a JSON array.")),
    "a Bundle that is nested too deeply": (
        f'{{"resourceType":"Bundle","entry":{_DEEP}}}',
        Expected(message="nested too deeply"),
    ),
    "a line that is nested too deeply": (
        f'{{"resourceType":"Patient","x":{_DEEP}}}\n{{"resourceType":"Patient",'
        '"name":[{"family":"Ormond","given":["Tilda"]}]}',
        Expected([person()], reasons=["nested too deeply"]),
    ),
}
