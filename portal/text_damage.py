"""Finds text that was damaged before it came: read in a wrong encoding, or written for a browser.

Such a text must not be written over a good name.
"""

import re
import unicodedata

from portal.text import has_letter

_NAMES = frozenset(
    {"family_name", "given_name", "middle_name", "preferred_name", "prefix", "suffix"}
)
_PLACES = frozenset({"city", "region", "address_line1", "address_line2"})
_ENTITY = re.compile(r"&(?:[a-z]{2,8}\d?|#\d{2,6}|#x[0-9a-f]{2,5});", re.IGNORECASE)
_LOST_LETTER = re.compile(r"[^\W\d_]\?|\?[^\W\d_]|\?{2,}")
# Letters in UTF-8 that were read as one byte each: the first bytes of Latin, Greek, Cyrillic and
# of all with three bytes, and what Windows-1252 shows for the bytes after them.
_BEHIND = "\x80-\xbf€‚ƒ„…†‡ˆ‰Š‹ŒŽ‘’“”•–—˜™š›œžŸ"
_READ_AS_BYTES = re.compile(f"[ÂÃÄÅÎÏÐÑ][{_BEHIND}]|[à-ï][{_BEHIND}]{{2}}")
# A word of Latin letters without one of the alphabet, such as those of Chinese read as Western.
_WORD = re.compile(r"[^\W\d_]{2,}")
# A soft hyphen beside such a letter is half of a letter; elsewhere it is only unseen.
_HYPHEN_BESIDE_ACCENT = re.compile("[\xc0-\xff]\xad|\xad[\xc0-\xff]")
_MIDDLE_DOT = "·"  # In Catalan: Gal·la.

WRONG_ENCODING = (
    "The letters are damaged: the text was read in a wrong encoding before it was saved. Get the "
    "file again in UTF-8, or choose its encoding."
)
LOST_LETTERS = (
    "Letters were replaced by other characters before the file was saved. Get the file again in "
    "UTF-8."
)
FOR_A_BROWSER = (
    "The text has letters as codes of HTML, such as &uuml;. Get the file with the letters."
)
NO_NAME = (
    "No name has such characters. Is the file in another encoding? Choose its encoding, or get it "
    "again in UTF-8."
)
# What to do where the text was typed or sent by a program, and no file can be got again.
ADVICE = {
    WRONG_ENCODING: (
        "The letters are damaged: they were read in a wrong encoding. Type them again; a program "
        "sends them in UTF-8."
    ),
    LOST_LETTERS: "Letters are replaced by question marks. Type the name with its letters.",
    FOR_A_BROWSER: "Give the letters themselves, not their codes of HTML such as &uuml;.",
    NO_NAME: "No name has such signs. Type the name with its letters.",
}


def find_damage(field: str, text: str) -> str:
    """Says how the text of a name or an address is damaged; "" if it is not, or of other fields."""
    if field not in _NAMES and field not in _PLACES:
        return ""
    if "\N{REPLACEMENT CHARACTER}" in text:
        return LOST_LETTERS
    if "&" in text and _ENTITY.search(text):
        return FOR_A_BROWSER
    if text.isascii():
        is_lost = "?" in text and field in _NAMES and _LOST_LETTER.search(text)
        return LOST_LETTERS if is_lost else ""
    if _READ_AS_BYTES.search(text):
        return WRONG_ENCODING
    if field not in _NAMES:
        return ""
    if _LOST_LETTER.search(text):
        return LOST_LETTERS
    return NO_NAME if _has_no_letters_of_names(text) else ""


def find_typed_damage(field: str, text: str) -> str:
    """Says what to do about a damaged text; "" if it is not damaged, or may be a name.

    In a file, letters with accents alone are a sign of a wrong encoding. One person may be called
    so.
    """
    damage = find_damage(field, text)
    if damage == NO_NAME and not (has_letter(text) and any(map(_is_sign, text))):
        return ""
    return ADVICE.get(damage, "")


def _has_no_letters_of_names(text: str) -> bool:
    if any(_is_sign(character) for character in text):
        return True
    if _HYPHEN_BESIDE_ACCENT.search(text):
        return True
    words = _WORD.findall(text)
    return any(all("\xc0" <= character <= "\xff" for character in word) for word in words)


def _is_sign(character: str) -> bool:
    """Tells whether it is a sign such as ± ¼ ³ ├."""
    if character.isascii() or character == _MIDDLE_DOT:
        return False
    return unicodedata.category(character) in {"Sm", "Sc", "So", "No"}
