"""A given name may be written otherwise, but the name of a twin is another one."""

import pytest

from portal.patients.names.given_names import is_same_given_name

ONE_PERSON = [
    ("jon", "john"),
    ("catherine", "katherine"),
    ("stephen", "steven"),
    ("jurgen", "juergen"),
    ("philip", "phillip"),
    ("michael", "micheal"),
    ("anna maria", "anna"),
    ("hans peter", "hanspeter"),
    ("j", "john"),
    ("bill", "william"),
    ("bob", "robbie"),
    ("", "john"),
]
TWO_PEOPLE = [
    ("anna", "hanna"),
    ("jan", "jana"),
    ("lena", "lina"),
    ("mia", "pia"),
    ("tim", "tom"),
    ("maria", "mario"),
    ("christian", "christina"),
    ("gabriel", "gabriele"),
    ("simon", "simone"),
    ("martin", "marvin"),
    ("marina", "mariana"),
    ("hans peter", "hans jurgen"),
    ("baby a", "baby b"),
    ("baby boy", "baby girl"),
]


@pytest.mark.parametrize(("first", "second"), ONE_PERSON)
def test_spellings_parts_initials_and_nicknames_are_one_name(first, second):
    assert is_same_given_name(first, second)
    assert is_same_given_name(second, first)


@pytest.mark.parametrize(("first", "second"), TWO_PEOPLE)
def test_names_of_twins_are_two(first, second):
    assert not is_same_given_name(first, second)
    assert not is_same_given_name(second, first)
