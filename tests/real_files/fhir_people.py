"""FHIR Patients in small, as the test suites and examples of several countries have them."""

import json
from dataclasses import dataclass, field
from typing import Any

Resource = dict[str, Any]
NO_NAME = "name.family: Enter a family name or a given name."
DEAD = "The patient has died."
TEST_DATA = "This is test data (HTEST), and no patient."


@dataclass(frozen=True)
class Expected:
    """What is right for a file: its people, the reasons of refused rows, or its message.

    `left_out` counts parts of all rows, `elsewhere` has words about what the file does not bring.
    """

    people: list[dict[str, Any]] = field(default_factory=list)
    reasons: list[str] = field(default_factory=list)
    message: str = ""
    left_out: dict[str, int] = field(default_factory=dict)
    elsewhere: list[str] = field(default_factory=list)


def patient(family: str = "Ormond", given: str = "Tilda", **parts: Any) -> Resource:
    """Returns a Patient; `name` among the parts replaces its name, None takes it away."""
    name = [{"family": family, "given": [given]}]
    resource = {"resourceType": "Patient", "name": name, **parts}
    return {key: value for key, value in resource.items() if value is not None}


def nameless(**parts: Any) -> Resource:
    """Returns a Patient without a name."""
    return patient(name=None, **parts)


def person(family: str = "Ormond", given: str = "Tilda", **values: Any) -> dict[str, Any]:
    """Returns the values of a stored patient."""
    return {"family_name": family, "given_name": given, **values}


def pages(resource: Any) -> str:
    """Returns a resource as one document over many lines."""
    return json.dumps(resource, indent=1, ensure_ascii=False)


def lines(*resources: Resource) -> str:
    """Returns NDJSON."""
    return "".join(json.dumps(resource) + "\n" for resource in resources)


def bundle(*entries: Any, kind: str = "collection", **members: Any) -> str:
    """Returns a Bundle; a Patient among the entries becomes the resource of one."""
    found = [{"resource": item} if "resourceType" in item else item for item in entries]
    return pages({"resourceType": "Bundle", "type": kind, **members, "entry": found})


def identifier(value: str, system: str = "urn:clinic", **parts: Any) -> Resource:
    """Returns an identifier."""
    return {"system": system, "value": value, **parts}


def typed(code: str, value: str, **parts: Any) -> Resource:
    """Returns an identifier with a type of HL7's table 0203."""
    return {"type": {"coding": [{"code": code}]}, "value": value, **parts}


def accuracy(code: str, **parts: Any) -> Resource:
    """Returns a date of birth with Australia's word on its accuracy."""
    url = "http://hl7.org.au/fhir/StructureDefinition/date-accuracy-indicator"
    beside = {"extension": [{"url": url, "valueCoding": {"code": code}}]}
    return {"birthDate": "1956-08-23", "_birthDate": beside, **parts}


def spelling(code: str, family: str, given: str) -> Resource:
    """Returns a name with the way in which it is written."""
    url = "http://hl7.org/fhir/StructureDefinition/iso21090-EN-representation"
    extension = [{"url": url, "valueCode": code}]
    return {"use": "usual", "family": family, "given": [given], "extension": extension}


def extensions(count: int) -> list[Resource]:
    """Returns extensions that the portal has no place for."""
    return [{"url": f"urn:example:{number}", "valueBoolean": True} for number in range(count)]


US_CORE = "http://hl7.org/fhir/us/core/StructureDefinition/us-core-"


def us_core(name: str, text: str) -> Resource:
    """Returns the race or the ethnicity of US Core."""
    return {"url": US_CORE + name, "extension": [{"url": "text", "valueString": text}]}


HTEST = {"system": "http://terminology.hl7.org/CodeSystem/v3-ActReason", "code": "HTEST"}
TEST_META = {"tag": [HTEST]}
ENDED = {"end": "2019-05-31"}
MOBILE = {"system": "phone", "use": "mobile", "value": "617 555 0101"}
HOME = {"line": ["1 Row"], "city": "Salem", "postalCode": "01970"}
HOME_VALUES = {"address_line1": "1 Row", "city": "Salem", "postal_code": "01970"}
PARTS = {"contact": [{"name": {"text": "Somebody"}}], "managingOrganization": {"display": "X"}}
PARTS_LEFT_OUT = {"contact": 1, "organization": 1}
