"""Made-up people, one for each operation; no two have the same name."""

import random

from tests.fault.history import Operation

SYLLABLES = (
    "ba",
    "den",
    "fi",
    "go",
    "hal",
    "ka",
    "lor",
    "mi",
    "nen",
    "os",
    "pel",
    "ri",
    "san",
    "tu",
    "vel",
    "wen",
)
REGIONS = ("Ohio", "Utah", "Maine", "Texas", "")
SEXES = ("female", "male", "other", "unknown")


def person(operation: Operation) -> dict[str, str]:
    """The same person for the same operation, in the words of the API."""
    dice = random.Random(operation.number)
    name = "".join(SYLLABLES[int(digit, 16)] for digit in f"{operation.number:x}").capitalize()
    return {
        "familyName": f"Fault{name}",
        "givenName": "".join(dice.choices(SYLLABLES, k=3)).capitalize(),
        "dateOfBirth": f"{dice.randrange(1930, 2020)}-{dice.randrange(1, 13):02}-{dice.randrange(1, 29):02}",
        "sex": dice.choice(SEXES),
        "region": dice.choice(REGIONS),
        "email": f"{name}@mail.example".lower(),
    }
