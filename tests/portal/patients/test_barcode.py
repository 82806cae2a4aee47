"""The MRN in bars: values and widths as the standard gives them."""

import re

import pytest

from portal.patients.reference.barcode import QUIET, code128, symbol_values


def test_digits_go_in_pairs_and_the_check_is_the_weighted_sum():
    assert symbol_values("10000015") == [105, 10, 0, 0, 15, (105 + 10 + 4 * 15) % 103, 106]


def test_an_odd_last_digit_is_written_in_the_other_set():
    assert symbol_values("123")[:4] == [105, 12, 100, ord("3") - 32]


def test_letters_are_written_one_by_one():
    """A worked example of the standard's sum: 104 + 1*48 + 2*42 + 3*42 = 362, modulo 103."""
    assert symbol_values("PJJ") == [104, 48, 42, 42, 362 % 103, 106]


def test_the_bars_of_the_start_and_the_stop_stand_between_white_zones():
    bars = code128("12")
    drawn = [(int(at), int(width)) for at, width in re.findall(r"M(\d+) 0h(\d+)v1", bars.path)]
    assert drawn[:3] == [(QUIET, 2), (QUIET + 3, 1), (QUIET + 6, 3)]  # Start C: 2 1 1 2 3 2.
    last, width = drawn[-1]
    assert (last + width + QUIET, width) == (bars.width, 2)
    assert bars.width == 2 * QUIET + 3 * 11 + 13


@pytest.mark.parametrize("text", ["", "Ä1", "1\n2"])
def test_what_has_no_bars_is_refused(text):
    with pytest.raises(ValueError, match="printable ASCII"):
        code128(text)
