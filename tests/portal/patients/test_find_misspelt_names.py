"""Of a thousand names with one slip, nearly all are found in the first ten hits."""

import random

import pytest

from portal.patients.models import Patient
from portal.patients.search.engine import search
from portal.patients.services import register_patients
from tests.bench.names import FAMILIES, GIVEN, misspelt, rare_names

pytestmark = pytest.mark.django_db
ASKED, WANTED = 1000, 0.98


def names() -> list[tuple[str, str]]:
    """Returns common and rare names in all mixtures, the same on every machine."""
    dice = random.Random(11)
    families, given = [*FAMILIES, *rare_names(1500)], [*GIVEN, *rare_names(200)]
    return [(dice.choice(families), dice.choice(given)) for _ in range(2500)]


def test_a_name_with_one_slip_is_found_in_the_first_ten():
    """Red without the look-up of misspelt words, or with one that knows no swapped letters."""
    people = names()
    register_patients(
        [{"family_name": family, "given_name": given} for family, given in people],
        by=None,
        source="command",
    )
    dice = random.Random(5)
    missed = [person for person in dice.choices(people, k=ASKED) if not is_found(person, dice)]
    assert len(missed) <= ASKED * (1 - WANTED), missed


def is_found(person: tuple[str, str], dice: random.Random) -> bool:
    """Returns whether a search finds the person, with the slip in either name, in either order."""
    family, given = person
    typed = (
        [misspelt(family, dice), given] if dice.random() < 0.5 else [family, misspelt(given, dice)]
    )
    dice.shuffle(typed)
    hits = search(Patient.objects.prefetch_related("identifiers"), " ".join(typed), limit=10).hits
    return person in {(hit.patient.family_name, hit.patient.given_name) for hit in hits}


def register(**families: str) -> None:
    """Registers patients: each family name with its given names."""
    details = [
        {"family_name": family, "given_name": given}
        for family, given_names in families.items()
        for given in given_names.split()
    ]
    register_patients(details, by=None, source="command")


def first(text: str, limit: int = 10, after: str = "") -> list[str]:
    hits = search(
        Patient.objects.prefetch_related("identifiers"), text, limit=limit, after=after
    ).hits
    return [f"{hit.patient.family_name} {hit.patient.given_name}: {hit.reason}" for hit in hits]


def test_a_slip_beside_a_character_inside_a_name_finds_the_patient():
    """The search failed: no name begins with the character, and none is similar to it."""
    register(**{"García Lorca": "小明"})
    assert first("García Lroca 明") == ["García Lorca 小明: Sounds alike: Lorca"]


MANY = " ".join(f"Given{number:02}" for number in range(40))


def test_of_names_with_as_many_slips_the_common_one_comes_first():
    """Red in the order of the alphabet, which hides Smith behind a dozen rare names."""
    register(**{f"S{letter}ith": "Ann" for letter in "abcdefghijkl"}, Smith=MANY)
    assert first("sith")[0] == "Smith Given00: One letter off: Smith"
    assert len({hit.split()[0] for hit in first("sith")}) > 5


def test_a_commoner_name_stands_behind_the_first_six_exact_hits():
    """Red without `find_commoner_hits`: Lope and Loper fill the first ten."""
    register(Lope="Ann Ben", Loper="Ann Ben Cleo Dan Eve Fay Gus Hal Ida", Lopez=MANY)
    names = [hit.split()[0] for hit in first("lope")]
    assert names == ["Lope"] * 2 + ["Loper"] * 4 + ["Lopez"] * 4


def test_pages_with_a_commoner_name_between_show_nobody_twice():
    register(Tone=" ".join(f"Ann{number}" for number in range(12)), Stone=MANY)
    seen, after = [], ""
    while not seen or after:
        page = search(Patient.objects.all(), "tone", limit=5, after=after)
        seen, after = [*seen, *(hit.patient.pk for hit in page.hits)], page.next_cursor
    assert len(seen) == len(set(seen)) == 12 + 4


def test_a_common_name_that_begins_as_typed_is_not_interrupted():
    register(Lopez=MANY, Lope="Ann Ben Cleo Dan Eve Fay Gus Hal Ida Jan Kit", Hope=MANY)
    assert not [hit for hit in first("lope") if "Hope" in hit]


def test_one_slip_comes_before_many_names_with_two_slips():
    """Red when only the first hundred of the alphabet are judged."""
    register(**{f"A{number:03}": "Martin Max" for number in range(120)}, McMartin="Margaret")
    assert first("ma mcmrtin")[0].startswith("McMartin Margaret")


def test_a_name_with_a_space_and_a_slip_is_found():
    register(**{"O'Brien": "Ann"}, McDonald="Ben")
    assert first("o brein")[0].startswith("O'Brien Ann")
    assert first("mc donld")[0].startswith("McDonald Ben")
