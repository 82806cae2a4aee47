"""The one cleaning of texts that are stored: pages, API, imports and admin call it."""

import re
import unicodedata
from itertools import pairwise

from portal.errors import FieldProblem, InvalidInput

# Unicode's Default_Ignorable_Code_Point without the joiners, and the blank pattern of Braille:
# characters that nobody sees, and that keep two equal words from being found as one.
_INVISIBLE = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b\u200e\u200f\u202a-\u202e"
    "\u2060-\u206f\u2800\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb"
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e00ff\U000e01f0-\U000e0fff]"
)
# Joiners choose a letter's form in Persian and Indic names, and selectors a form of an ideograph.
# Elsewhere they are as invisible as the others.
_FORM_CHOOSERS = re.compile("[\u200c\u200d\U000e0100-\U000e01ef]")
_SCRIPTS_WITHOUT_FORMS = ("LATIN", "GREEK", "CYRILLIC")
_DAMAGED = {"Cc", "Cs"}  # control characters, and half of a character


def clean_text(text: str) -> str:
    """Returns the text in NFC without invisible characters, with one space between words.

    Control characters and lone surrogates stay: see `is_damaged`.
    """
    if text.isascii():
        # Of the blanks of ASCII only the space is printable.
        return text if " " not in text and text.isprintable() else " ".join(text.split())
    text = unicodedata.normalize("NFC", _INVISIBLE.sub("", text))
    if _FORM_CHOOSERS.search(text):
        text = _without_idle_choosers(text)
    return " ".join(text.split())


def is_damaged(text: str) -> bool:
    """Returns whether a character is none that a person can have typed, such as NUL."""
    if text.isprintable():
        return False
    return any(unicodedata.category(character) in _DAMAGED for character in text)


def clean_entry(text: str, *, pointer: str) -> str:
    """Returns the text as `clean_text` does; InvalidInput at `pointer` if it is damaged."""
    text = clean_text(text)
    if is_damaged(text):
        problem = FieldProblem(pointer, "control-characters", "Remove the control characters.")
        raise InvalidInput(errors=[problem])
    return text


def has_letter(text: str) -> bool:
    """Returns whether a person could be called so: the text has a letter of any script."""
    return any(map(str.isalpha, text))


def _without_idle_choosers(text: str) -> str:
    kept = [
        after
        for before, after in pairwise(" " + text)
        if not _FORM_CHOOSERS.match(after) or _has_forms(before)
    ]
    return "".join(kept)


def _has_forms(character: str) -> bool:
    """Returns whether a joiner or selector after this character changes how it looks."""
    if unicodedata.category(character)[0] not in "LM":
        return False
    return not unicodedata.name(character, "").startswith(_SCRIPTS_WITHOUT_FORMS)
