"""How the bytes of a CSV file become text: a byte order mark decides, then what a person chose, else strict UTF-8."""

import codecs
import re

from portal.imports.readers.rows import Unreadable

UTF_8 = "utf-8"
SAVE_AS = "Save it as “CSV UTF-8 (comma delimited)” and try again."
# What a person may choose. The standard of the web reads Latin-1 as Windows-1252, which has it in itself.
CHOICES = [
    ("utf-8", "UTF-8"),
    ("utf-16-le", "UTF-16 (little-endian)"),
    ("utf-16-be", "UTF-16 (big-endian)"),
    ("windows-1252", "Windows-1252 (Western)"),
    ("iso-8859-15", "ISO 8859-15 (Latin-9)"),
    ("windows-1250", "Windows-1250 (Central)"),
    ("iso-8859-2", "ISO 8859-2 (Latin-2)"),
    ("windows-1251", "Windows-1251 (Cyrillic)"),
    ("windows-1253", "Windows-1253 (Greek)"),
    ("windows-1254", "Windows-1254 (Turkish)"),
    ("macintosh", "Macintosh (Roman)"),
    ("cp850", "DOS, code page 850"),
]
LABELS = dict(CHOICES)
ASSUMED = "windows-1252"  # What old exports of the western world are in, where they say nothing.
_MARKS = {
    codecs.BOM_UTF8: "utf-8",
    codecs.BOM_UTF16_LE: "utf-16-le",
    codecs.BOM_UTF16_BE: "utf-16-be",
}
_TWO_BYTES = re.compile(
    rb"[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}"
)


def byte_order_mark(sample: bytes) -> tuple[str, int]:
    """The encoding that a byte order mark names, "" without one, and how many bytes the mark has."""
    for mark, name in _MARKS.items():
        if sample.startswith(mark):
            return name, len(mark)
    return "", 0


def detect_encoding(sample: bytes, chosen: str = "", *, assumes: bool = False) -> str:
    """The encoding of a file that begins so: its mark, else `chosen`, else UTF-8.

    If it is none of them: with `assumes` the likeliest, which a person has to look at, else Unreadable.
    """
    mark, _ = byte_order_mark(sample)
    if mark or chosen:
        return mark or known(chosen)
    likeliest = _without_mark(sample)
    if likeliest == UTF_8 or assumes:
        return likeliest
    words = f"This file is not UTF-8 text. It may be {LABELS[likeliest]}: say so (--encoding {likeliest}), or save it"
    raise Unreadable(f"{words} as “CSV UTF-8 (comma delimited)”, and try again.")


def _without_mark(sample: bytes) -> str:
    """What the bytes look like. A few bad bytes in UTF-8 cost only their rows, so they make no other encoding of it."""
    ends = sample[1::2].count(0), sample[::2].count(0)
    if (
        max(ends) * 4 > len(sample) > 4 * min(ends) * 4
    ):  # Of Latin letters every other byte is nothing.
        return "utf-16-le" if ends[0] > ends[1] else "utf-16-be"
    whole = sample[: sample.rfind(b"\n") + 1] or sample
    beyond = len(whole.translate(None, bytes(range(128))))
    in_utf8 = sum(len(match.group()) for match in _TWO_BYTES.finditer(whole))
    return ASSUMED if beyond - in_utf8 > in_utf8 else UTF_8


def known(name: str) -> str:
    """The name as it stands among ours, however it is written; "" for none. Unreadable for any other encoding."""
    if not name:
        return ""
    wanted = {
        "utf-16": "utf-16-le",
        "latin-1": ASSUMED,
        "latin1": ASSUMED,
        "iso-8859-1": ASSUMED,
    }.get(name.lower(), name)
    try:
        asked = codecs.lookup(wanted).name
    except LookupError:
        asked = ""
    for one in LABELS:
        if codecs.lookup(one).name == asked:
            return one
    raise Unreadable(f"This encoding is not known here. Known are: {', '.join(LABELS)}.")


def is_text(data: bytes, encoding: str) -> bool:
    """Whether these bytes are text in this encoding: no byte without a letter, and no control characters among it."""
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError:
        return False
    return not any(is_control(character) for character in text)


def is_control(character: str) -> bool:
    """Whether no program writes this into a text: bytes that are letters in another encoding become such characters."""
    return (character < " " and character not in "\t\n\r\f") or "\x7f" <= character <= "\x9f"
