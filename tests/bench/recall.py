"""Counts how many misspelt names a search finds: `python -m tests.bench.recall --patients 300000`.

It searches for patients by their names with a slip, and prints how often a patient with the
intended name is among the first ten. `--names FILE` takes other names: a CSV of family and given
name.
"""

import argparse
import csv
import random
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from tests.bench.filled import filled_portal, without_triggers
from tests.bench.names import misspelt

SEARCHES, FIRST = 1000, 10  # of each kind; hits that are looked at
Slip = Callable[[str], str]
# How a name is typed; whether a hit must have the same family name; how many letters of the
# given name must agree (None: all).
KINDS: dict[str, tuple[Callable[[str, str, Slip, random.Random], str], bool, int | None]] = {
    "whole names, in any order, a slip in either": (
        lambda f, g, slip, dice: _shuffled(f, g, slip, dice),
        True,
        None,
    ),
    "family names alone": (lambda f, g, slip, dice: slip(f), True, 0),
    "given names alone": (lambda f, g, slip, dice: slip(g), False, None),
    "two letters of the given name, a slip in the family name": (
        lambda f, g, slip, dice: f"{g[:2]} {slip(f)}",
        True,
        2,
    ),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--patients", type=int, default=300_000)
    parser.add_argument("--names", type=Path)
    options = parser.parse_args()
    with filled_portal(options.patients):
        if options.names:
            take_names(options.names)
        measure()


def measure() -> None:
    print(f"{SEARCHES:,} searches of each kind, a patient of the name among the first {FIRST}")
    people = draw_people()
    for what, (typed, by_family, letters) in KINDS.items():
        dice = random.Random(5)
        missed = 0
        for family, given in people:
            hits = first_hits(typed(family, given, partial(slip, dice=dice), dice))
            missed += not any(
                (not by_family or f == family) and g[:letters] == given[:letters] for f, g in hits
            )
        print(f"- {what}: {100 - 100 * missed / len(people):.1f} %", flush=True)


def take_names(file: Path) -> None:
    """Gives each patient a name of the file, as often as it stands there."""
    with file.open(newline="") as rows:
        families, given = zip(*[row[:2] for row in csv.reader(rows)], strict=True)
    with without_triggers() as cursor:
        cursor.execute(
            """UPDATE patients_patient
            SET family_name = family, given_name = given, middle_name = ''
            FROM unnest(%s::text[], %s::text[]) WITH ORDINALITY AS name (family, given, at)
            WHERE at = 1 + mod(hashtext(mrn)::bigint + 2147483648, %s)""",
            [list(families), list(given), len(families)],
        )
        cursor.execute("TRUNCATE patients_nameword")
        cursor.execute(
            """INSERT INTO patients_nameword (word)
            SELECT DISTINCT unnest(tsvector_to_array(name_words)) FROM patients_patient"""
        )


def draw_people() -> list[Any]:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT family_name, given_name FROM patients_patient"
            " WHERE status = 'active' ORDER BY md5(mrn) LIMIT %s",
            [SEARCHES],
        )
        return cursor.fetchall()


def first_hits(text: str) -> list[tuple[str, str]]:
    from portal.patients.models import Patient
    from portal.patients.search.engine import search

    among = Patient.objects.filter(status="active").prefetch_related("identifiers")
    found = search(among, text, limit=FIRST).patients
    return [(patient.family_name, patient.given_name) for patient in found]


def slip(name: str, dice: random.Random) -> str:
    """Returns the name with a slip, in small letters, and never the name itself."""
    typed = name.lower()
    while typed == name.lower():
        typed = misspelt(name.lower(), dice)
    return typed


def _shuffled(family: str, given: str, slip: Slip, dice: random.Random) -> str:
    typed = [slip(family), given] if dice.random() < 0.5 else [family, slip(given)]
    dice.shuffle(typed)
    return " ".join(typed)


if __name__ == "__main__":
    main()
