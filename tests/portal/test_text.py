"""The one cleaning of texts: what nobody sees goes, what people write stays."""

import pytest

from portal.errors import InvalidInput
from portal.text import clean_entry, clean_text, has_letter


@pytest.mark.parametrize(
    ("typed", "cleaned"),
    [
        ("Or\u00admond", "Ormond"),
        ("\u200bOrmond\ufeff", "Ormond"),
        ("\u202d617 555 0177\u202c", "617 555 0177"),
        ("\u2066Ormond\u2069", "Ormond"),
        ("  Mu\u0308ller \u00a0 Meier\n", "Müller Meier"),
        ("Or\u200cmond", "Ormond"),
        ("نیما\u200cزاده", "نیما\u200cزاده"),
        ("葛\U000e0100飾", "葛\U000e0100飾"),
        ("\u3164", ""),
    ],
)
def test_only_what_nobody_sees_is_taken_out(typed, cleaned):
    assert clean_text(typed) == cleaned
    assert clean_text(cleaned) == cleaned


@pytest.mark.parametrize("damaged", ["twin\x00", "\ud800", "a\x1bb"])
def test_a_damaged_text_is_refused_at_its_field(damaged):
    with pytest.raises(InvalidInput) as refused:
        clean_entry(damaged, pointer="reason")
    assert [problem.pointer for problem in refused.value.errors] == ["reason"]


def test_a_name_has_a_letter_of_any_script():
    assert all(map(has_letter, ("Ng", "王", "نیما", "X7", "O'Brien")))
    assert not any(map(has_letter, ("", ".", "?", "- -", "7", "🙂")))
