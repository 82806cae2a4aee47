"""The bars of an MRN have the widths that the standard prints for its symbols."""

import re

import pytest

from portal.patients.reference.barcode import QUIET, Bars, code128

# Widths of bar, space, bar ... in modules, as ISO/IEC 15417 prints them.
START_B, START_C, TO_B, STOP = "211214", "211232", "114131", "2331112"


def widths(bars: Bars) -> str:
    """The widths of all bars and of the spaces between them."""
    drawn = [(int(at), int(width)) for at, width in re.findall(r"M(\d+) 0h(\d+)v1", bars.path)]
    found, end = [], drawn[0][0]
    for at, width in drawn:
        found += [at - end, width]
        end = at + width
    return "".join(str(width) for width in found[1:])


@pytest.mark.parametrize(
    ("text", "symbols"),
    [
        # Digits go in pairs: 10 00 00 15. The check is (105 + 10 + 4 * 15) % 103 = 72.
        ("10000015", [START_C, "221312", "212222", "212222", "113222", "122411", STOP]),
        # The odd last digit is written in set B. The check is (105 + 12 + 200 + 57) % 103 = 65.
        ("123", [START_C, "112232", TO_B, "221132", "121124", STOP]),
        # The standard's own sum: (104 + 1 * 48 + 2 * 42 + 3 * 42) % 103 = 53.
        ("PJJ", [START_B, "313121", "112133", "112133", "213131", STOP]),
    ],
)
def test_bars_have_the_widths_of_the_standard_and_its_check_symbol(text, symbols):
    assert widths(code128(text)) == "".join(symbols)


def test_white_zones_stand_on_both_sides_of_the_bars():
    bars = code128("12")
    first, *_, last = [
        (int(at), int(width)) for at, width in re.findall(r"M(\d+) 0h(\d+)v1", bars.path)
    ]
    assert first == (QUIET, 2)
    assert sum(last) + QUIET == bars.width == 2 * QUIET + 3 * 11 + 13


@pytest.mark.parametrize("text", ["", "Ä1", "1\n2"])
def test_text_that_has_no_bars_is_refused(text):
    with pytest.raises(ValueError, match="printable ASCII"):
        code128(text)
