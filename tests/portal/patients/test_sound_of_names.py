"""Spellings of one name have one phonetic key; names that sound different have different keys."""

import pytest

from portal.patients.names.phonetics import phonetic_key
from portal.patients.normalize import fold


@pytest.mark.parametrize(
    "names",
    [
        "Smith Smyth Smithe Smit",
        "Schmidt Schmitt Schmid Shmidt",
        "Meyer Maier Mayer Meier",
        "Müller Mueller Moeller",
        "Thompson Thomson Tomson",
        "Stewart Stuart Steward",
        "McDonald MacDonald Macdonnald",
        "McIntyre MacIntyre",
        "Nielsen Nelson Nilsson",
        "Gonzalez Gonzales Gonsalez",
        "Schulz Schultz Schulze",
        "Wright Right Write",
        "Catherine Katherine Kathryn Catharine",
        "Stephen Steven",
        "Geoffrey Jeffrey Jeffery",
        "Mohammed Muhammad Mohamed",
        "Vaughan Vaughn",
        "Callaghan Callahan",
        "Rodgers Rogers",
        "Wagner Vagner",
        "Strauß Strauss",
        "Sørensen Sorenson",
        "Reid Reed Read",
        "Leigh Lee Li",
        "Bach Bakh",
        "Yusuf Youssef",
    ],
)
def test_spellings_of_one_name_have_one_phonetic_key(names):
    assert len({phonetic_key(fold(name)) for name in names.split()}) == 1


@pytest.mark.parametrize(
    "names",
    [
        "Smith Schmidt",
        "Ward Ford",
        "Lee Lowe",
        "Baker Parker",
        "Anna Nana",
        "Jones James Janek",
        "Smith Smithson",
    ],
)
def test_different_names_have_different_phonetic_keys(names):
    assert len({phonetic_key(fold(name)) for name in names.split()}) == len(names.split())


@pytest.mark.parametrize("word", ["", "123", "Иванов", "李"])
def test_a_word_without_latin_letters_has_no_phonetic_key(word):
    assert phonetic_key(fold(word)) == ""
