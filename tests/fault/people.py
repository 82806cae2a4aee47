"""Made-up people, a new name for each operation."""

import random

from tests.fault.history import Operation

# A syllable for each hexadecimal digit of a number.
_SYLLABLES = "ba den fi go hal ka lor mi nen os pel ri san tu vel wen"
SYLLABLES = _SYLLABLES.split()
REGIONS = ("Ohio", "Utah", "Maine", "Texas", "")
SEXES = ("female", "male", "other", "unknown")


def person(operation: Operation) -> dict[str, str]:
    """Returns the person of an operation, always the same, as a body of the API."""
    dice = random.Random(operation.number)
    name = "".join(SYLLABLES[int(digit, 16)] for digit in f"{operation.number:x}").capitalize()
    return {
        "familyName": f"Fault{name}",
        "givenName": "".join(dice.choices(SYLLABLES, k=3)).capitalize(),
        "dateOfBirth": _birth_date(dice),
        "sex": dice.choice(SEXES),
        "region": dice.choice(REGIONS),
        "email": f"{name}@mail.example".lower(),
    }


def _birth_date(dice: random.Random) -> str:
    year, month, day = dice.randrange(1930, 2020), dice.randrange(1, 13), dice.randrange(1, 29)
    return f"{year}-{month:02}-{day:02}"
