"""A sealed cursor is opened by us alone, for the list that it was made for."""

import pytest
from hypothesis import given, settings, strategies

from portal.errors import InvalidInput
from portal.sealed_cursor import open_cursor, seal_cursor

VALUES = ["name", "beispiel anna", "0195d7c80000700080000000000000ab", 1_795_795_512_123_456]


@settings(deadline=None)
@given(strategies.lists(strategies.text(max_size=300) | strategies.integers()), strategies.text())
def test_what_is_sealed_comes_back(values, purpose):
    assert open_cursor(seal_cursor(values, purpose=purpose), purpose=purpose) == values


def test_nobody_can_read_a_name_in_it():
    cursor = seal_cursor(VALUES, purpose="patients ")
    assert cursor.isascii()
    assert cursor.replace("-", "").replace("_", "").isalnum()
    assert "beispiel" not in cursor.lower()
    assert len(cursor) < 150
    other = seal_cursor([*VALUES[:3], VALUES[3] + 1], purpose="patients ")
    assert cursor[:20] != other[:20]


def test_names_of_about_one_length_make_cursors_of_one_length():
    lengths = {len(seal_cursor([name], purpose="")) for name in ("ann", "anna", "annabella")}
    assert len(lengths) == 1


@pytest.mark.parametrize("at", [0, 10, -1])
def test_an_edited_cursor_is_refused(at):
    cursor = [*seal_cursor(VALUES, purpose="")]
    cursor[at] = "A" if cursor[at] != "A" else "B"
    with pytest.raises(InvalidInput):
        open_cursor("".join(cursor), purpose="")


@pytest.mark.parametrize(
    "cursor",
    ["x", "é", "A" * 100, "A" * 100_000, "\ud800", "name.0190163d-8694-739b-aea5-966c26f8ad91"],
)
def test_another_text_is_refused(cursor):
    with pytest.raises(InvalidInput):
        open_cursor(cursor, purpose="")


def test_a_cursor_of_another_list_is_refused():
    with pytest.raises(InvalidInput):
        open_cursor(seal_cursor(VALUES, purpose="patients smith"), purpose="patients smit")


def test_a_cursor_of_another_key_is_refused(settings):
    cursor = seal_cursor(VALUES, purpose="")
    settings.SECRET_KEY = "another-secret-key-of-another-portal"
    with pytest.raises(InvalidInput):
        open_cursor(cursor, purpose="")
