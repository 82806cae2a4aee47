"""An MRN as a barcode that a scanner reads: Code 128 (ISO/IEC 15417)."""

import re
from dataclasses import dataclass

from barcode import Code128

QUIET = 10  # modules; a scanner finds the ends of a barcode by the white space on both sides


@dataclass(frozen=True)
class Bars:
    """A barcode one unit high and `width` modules wide; `path` draws its bars in an SVG."""

    width: int
    path: str


def code128(text: str) -> Bars:
    """Returns the bars for printable ASCII, with white space on both sides.

    The library's own SVG sets styles inline, which the content security policy forbids, so only
    its encoder is used. Raises ValueError for any other text.
    """
    if not text or not all(" " <= character <= "~" for character in text):
        raise ValueError("Only printable ASCII can be written in bars.")
    modules = Code128(text).build()[0]  # "1" for black and "0" for white, module by module
    path = ""
    for bar in re.finditer("1+", modules):
        width = bar.end() - bar.start()
        path += f"M{QUIET + bar.start()} 0h{width}v1h-{width}z"
    return Bars(QUIET + len(modules) + QUIET, path)
