"""A record number as bars that a scanner reads: Code 128 (ISO/IEC 15417)."""

from dataclasses import dataclass

# The widths of bar, gap, bar ... of each symbol character, in modules: values 0 to 105, and the stop pattern.
_WIDTHS = """
    212222 222122 222221 121223 121322 131222 122213 122312 132212 221213 221312 231212 112232 122132 122231 113222
    123122 123221 223211 221132 221231 213212 223112 312131 311222 321122 321221 312212 322112 322211 212123 212321
    232121 111323 131123 131321 112313 132113 132311 211313 231113 231311 112133 112331 132131 113123 113321 133121
    313121 211331 231131 213113 213311 213131 311123 311321 331121 312113 312311 332111 314111 221411 431111 111224
    111422 121124 121421 141122 141221 112214 112412 122114 122411 142112 142211 241211 221114 413111 241112 134111
    111242 121142 121241 114212 124112 124211 411212 421112 421211 212141 214121 412121 111143 111341 131141 114113
    114311 411113 411311 113141 114131 311141 411131 211412 211214 211232 2331112
""".split()  # noqa: SIM905 - as the standard prints them
_TO_B, _START_B, _START_C, _STOP = 100, 104, 105, 106
QUIET = 10  # Modules that stay white on both sides, or a scanner does not find the ends.


@dataclass(frozen=True)
class Bars:
    """A drawing one unit high and `width` modules wide; `path` is that of an SVG."""

    width: int
    path: str


def code128(text: str) -> Bars:
    """The bars for printable ASCII, quiet zones within. ValueError for anything else."""
    values = symbol_values(text)
    at, parts = QUIET, []
    for value in values:
        for index, width in enumerate(int(digit) for digit in _WIDTHS[value]):
            if index % 2 == 0:
                parts.append(f"M{at} 0h{width}v1h-{width}z")
            at += width
    return Bars(at + QUIET, "".join(parts))


def symbol_values(text: str) -> list[int]:
    """Start, data, check and stop. Digits go in pairs (set C), which makes them half as wide; the rest by set B."""
    if not text or not all(" " <= character <= "~" for character in text):
        raise ValueError("Only printable ASCII can be written in bars.")
    if text.isdigit() and len(text) > 1:
        pairs = [int(text[at : at + 2]) for at in range(0, len(text) - 1, 2)]
        values = [_START_C, *pairs, *([_TO_B, ord(text[-1]) - 32] if len(text) % 2 else [])]
    else:
        values = [_START_B, *(ord(character) - 32 for character in text)]
    check = (values[0] + sum(place * value for place, value in enumerate(values))) % 103
    return [*values, check, _STOP]
