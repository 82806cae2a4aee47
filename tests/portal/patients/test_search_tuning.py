"""The numbers of search stand in one place, and each moves a result in the direction it says."""

import ast
from dataclasses import fields, replace
from fractions import Fraction
from pathlib import Path

import pytest

from portal.patients import search as search_package
from portal.patients.models import Patient
from portal.patients.search import tuning
from portal.patients.search.engine import search
from portal.patients.search.tuning import SearchTuning
from portal.patients.services import register_patients

FOLDER = Path(search_package.__file__).parent
OTHER_MODULES = [path for path in FOLDER.glob("*.py") if path.name != "tuning.py"]
MAX_FILTERED = "MAX_FILTERED"  # The size of a list in the admin: it decides on no hit.


@pytest.fixture
def tune(monkeypatch):
    """Changes some numbers of search until the test ends."""

    def change(**numbers):
        monkeypatch.setattr(tuning, "SEARCH", replace(tuning.SEARCH, **numbers))

    return change


def register(*people: str, **details) -> None:
    """Registers patients, each written as family and given name."""
    names = [
        dict(zip(("family_name", "given_name"), name.split(), strict=False)) for name in people
    ]
    register_patients([name | details for name in names], by=None, source="command")


def families(text: str, limit: int = 10) -> list[str]:
    hits = search(Patient.objects.prefetch_related("identifiers"), text, limit=limit).hits
    return [hit.patient.family_name for hit in hits]


def given_names(letters: str) -> list[str]:
    return [f"G{letter}" for letter in letters]


def test_no_other_module_of_search_has_a_number_of_its_own():
    for path in OTHER_MODULES:
        constants = [
            node for node in ast.parse(path.read_text()).body if isinstance(node, ast.Assign)
        ]
        for constant in constants:
            if ast.unparse(constant.targets[0]) != MAX_FILTERED:
                assert numbers_in(constant.value) <= {0, 1}, f"{path.name}: {constant.lineno}"


def numbers_in(node: ast.expr) -> set[float]:
    values = [part.value for part in ast.walk(node) if isinstance(part, ast.Constant)]
    return {value for value in values if type(value) in (int, float)}


def test_every_number_is_used():
    text = "".join(path.read_text() for path in OTHER_MODULES)
    assert [field.name for field in fields(SearchTuning) if f".{field.name}" not in text] == []


@pytest.mark.django_db
def test_a_longer_shortest_end_finds_fewer_phones_and_identifiers(tune):
    identifiers = [{"system": "passport", "value": "X55018"}]
    register("Phone Ann", phone="+44 20 7946 0018")
    register("Passport Ben", identifiers=identifiers)
    assert families("018") == ["Phone", "Passport"]
    tune(min_tail_length=4)
    assert families("018") == []


@pytest.mark.django_db
def test_a_longer_shortest_end_of_an_mrn_finds_fewer_records(tune):
    register("Example Ann")
    end = Patient.objects.get().mrn[-4:]
    assert families(end) == ["Example"]
    tune(min_mrn_tail_length=5)
    assert families(end) == []


@pytest.mark.django_db
def test_a_longer_whole_phone_is_an_end_for_longer(tune):
    register("Example Ann", phone="12345678")
    assert reason("2345678") == "Phone"
    tune(min_whole_phone_length=8)
    assert reason("2345678") == "Phone ends in 2345678"


def reason(text: str) -> str:
    [hit] = search(Patient.objects.all(), text, limit=10).hits
    return hit.reason


@pytest.mark.django_db
def test_more_words_of_a_name_narrow_the_search(tune):
    register("Example Ann")
    tune(most_words_lacking=0)
    assert families("example ann xavier") == []
    tune(max_name_words=2)
    assert families("example ann xavier") == ["Example"]


@pytest.mark.django_db
def test_more_lacking_words_find_records_with_fewer_names(tune):
    register("Example Ann")
    assert families("ann example xavier") == ["Example"]
    tune(most_words_lacking=0)
    assert families("ann example xavier") == []


@pytest.mark.django_db
def test_a_later_first_year_makes_fewer_texts_a_date_of_birth(tune):
    register("Example Ann", date_of_birth="1885-01-02")
    assert families("2 jan 1885") == ["Example"]
    tune(earliest_birth_year=1886)
    assert families("2 jan 1885") == []


@pytest.mark.django_db
def test_fewer_enough_exact_hits_keep_fuzzy_hits_out(tune):
    register("Smith Ann", "Smith Ben", "Smyth Cleo")
    assert families("smith") == ["Smith", "Smith", "Smyth"]
    tune(enough_exact_hits=2)
    assert families("smith") == ["Smith", "Smith"]


@pytest.mark.django_db
def test_a_higher_limit_shows_more_fuzzy_hits(tune):
    register("Smyth Ann", "Smyth Ben", "Smyth Cleo")
    assert len(families("smith")) == 3
    tune(max_fuzzy_hits=2)
    assert len(families("smith")) == 2


@pytest.mark.django_db
def test_more_exact_hits_first_move_a_commoner_name_down(tune):
    letters = "abcdefghijklmnopqrstuvwxyz"
    register(*[f"Loper {name}" for name in given_names(letters[:10])])
    register(*[f"Lopez {name}" for name in given_names(letters)])
    assert families("loper").index("Lopez") == 6
    tune(exact_hits_first=8, commoner_hits=2)
    assert families("loper").index("Lopez") == 8
    assert families("loper").count("Lopez") == 2


@pytest.mark.django_db
def test_a_larger_share_is_asked_of_longer_names_that_begin_as_typed(tune):
    letters = "abcdefghijklmnopqrstuvwxyz"
    register(*[f"Lope {name}" for name in given_names(letters[:12])])
    register(*[f"Lopez {name}" for name in given_names(letters[:12])])
    assert "Lopez" in families("lope")
    tune(min_prefix_share=Fraction(2, 3))
    assert "Lopez" not in families("lope")


@pytest.mark.django_db
def test_a_higher_penalty_makes_slips_outweigh_how_common_a_name_is(tune):
    register("Garner Ann", *[f"Gardiner {name}" for name in given_names("abcdefghijklmnop")])
    register(*[f"Gardner {name}" for name in given_names("abcdefgh")])
    closest = families("garnet")[0]
    assert closest == "Garner"
    tune(slip_penalty=0.0)
    assert families("garnet")[0] == "Gardner"


@pytest.mark.django_db
def test_more_similar_words_and_more_names_tried_find_more_names(tune):
    register(*[f"S{letter}ith Ann" for letter in "abcde"])
    assert len(families("sith")) == 5
    tune(names_tried=2, enough_name_hits=0)
    assert len(families("sith")) == 2
    tune(names_tried=12, similar_words=3)
    assert len(families("sith")) == 3


@pytest.mark.django_db
def test_a_longer_particle_is_joined_with_the_next_word(tune):
    register("McDonald Ben", "Vanderberg Ann")
    assert families("mc donld") == ["McDonald"]
    assert families("vander brg") == []
    tune(max_particle_length=6)
    assert families("vander brg") == ["Vanderberg"]
    tune(max_joined_words=1)
    assert families("mc donld") == []


@pytest.mark.django_db
def test_a_higher_cost_moves_middle_names_down(tune):
    register("Xavier Ann", middle_name="Martn")
    register("Martn Zoe")
    tune(names_tried=0)
    assert families("martin") == ["Martn", "Xavier"]
    tune(aside_cost=-1.0)
    assert families("martin") == ["Xavier", "Martn"]


@pytest.mark.django_db
def test_longer_initials_are_looked_for_as_family_and_given_name(tune):
    register("Person Ann", middle_name="Zed")
    keys = [hit.key for hit in search(Patient.objects.all(), "pers ann", limit=10).hits]
    assert keys == ["any"]
    tune(max_initial_length=4)
    keys = [hit.key for hit in search(Patient.objects.all(), "pers ann", limit=10).hits]
    assert keys == ["initials0"]
