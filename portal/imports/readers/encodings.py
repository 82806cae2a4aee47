"""The encoding of a CSV file: its byte order mark decides, else a user's choice, else UTF-8."""

import codecs
import re
import unicodedata

from charset_normalizer import from_bytes

from portal.imports.readers.rows import Unreadable
from portal.text_damage import find_damage

UTF_8 = "utf-8"
SAVE_AS = "Save it as “CSV UTF-8 (comma delimited)” and try again."
# What a user may choose. Windows-1252 contains Latin-1, and the web's standard reads it so.
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
    ("windows-1257", "Windows-1257 (Baltic)"),
    ("windows-1255", "Windows-1255 (Hebrew)"),
    ("windows-1256", "Windows-1256 (Arabic)"),
    ("windows-1258", "Windows-1258 (Vietnamese)"),
    ("koi8-r", "KOI8-R (Russian)"),
    ("cp932", "Shift-JIS (Japanese)"),
    ("euc-jp", "EUC-JP (Japanese)"),
    ("gb18030", "GB 18030, GBK (Chinese)"),
    ("big5", "Big5 (traditional Chinese)"),
    ("cp949", "EUC-KR (Korean)"),
    ("cp874", "Windows-874 (Thai)"),
    ("macintosh", "Macintosh (Roman)"),
    ("cp850", "DOS, code page 850"),
]
LABELS = dict(CHOICES)
ASSUMED = "windows-1252"  # The encoding of most old western exports that do not name theirs.
_ALIASES = {
    "utf-16": "utf-16-le",
    "latin-1": ASSUMED,
    "latin1": ASSUMED,
    "iso-8859-1": ASSUMED,
    "shift_jis": "cp932",
    "shift-jis": "cp932",
    "sjis": "cp932",
    "gbk": "gb18030",
    "gb2312": "gb18030",
    "euc-kr": "cp949",
    "ks_c_5601-1987": "cp949",
    "big5hkscs": "big5",
}
_GUESSED = [name for name, _ in CHOICES if not name.startswith("utf")]
_EAST_ASIAN = frozenset({"CJK", "HIRAGANA", "KATAKANA", "KATAKANA-HIRAGANA", "FULLWIDTH"})
_COMMON_LETTERS = {"cp949": "iso2022_kr", "gb18030": "gb2312"}
_GUESSED_BYTES = 32 * 1024  # Of lines with letters that are not ASCII.
_MARKS = {
    codecs.BOM_UTF8: "utf-8",
    codecs.BOM_UTF16_LE: "utf-16-le",
    codecs.BOM_UTF16_BE: "utf-16-be",
}
_UTF8_LETTER = re.compile(
    rb"[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}"
)


def byte_order_mark(sample: bytes) -> tuple[str, int]:
    """Returns the encoding that a byte order mark names, "" without one, and the mark's bytes."""
    for mark, name in _MARKS.items():
        if sample.startswith(mark):
            return name, len(mark)
    return "", 0


def detect_encoding(sample: bytes, chosen: str = "", *, assumes: bool = False) -> str:
    """Returns the encoding of a file that begins so: its mark, else `chosen`, else UTF-8.

    If it is none of them: with `assumes` the likeliest, which a user has to check, else
    Unreadable.
    """
    mark, _ = byte_order_mark(sample)
    if mark or chosen:
        return mark or encoding_named(chosen)
    likeliest = _likeliest(sample)
    if likeliest == UTF_8 or assumes:
        return likeliest
    raise Unreadable(
        f"This file is not UTF-8 text. It may be {LABELS[likeliest]}: say so "
        f"(--encoding {likeliest}), or save it as “CSV UTF-8 (comma delimited)”, and try again."
    )


def _likeliest(sample: bytes) -> str:
    """Returns the encoding that the bytes look like.

    A few bad bytes in UTF-8 cost only their rows, so that the file still counts as UTF-8.
    """
    zeros_second, zeros_first = sample[1::2].count(0), sample[::2].count(0)
    zeros = zeros_second, zeros_first
    # In UTF-16 every other byte of Latin letters is zero.
    if max(zeros) * 4 > len(sample) > 4 * min(zeros) * 4:
        return "utf-16-le" if zeros_second > zeros_first else "utf-16-be"
    whole_lines = sample[: sample.rfind(b"\n") + 1] or sample
    not_ascii = len(whole_lines.translate(None, bytes(range(128))))
    in_utf8 = sum(len(match.group()) for match in _UTF8_LETTER.finditer(whole_lines))
    return _guess(whole_lines) if not_ascii - in_utf8 > in_utf8 else UTF_8


def _guess(text: bytes) -> str:
    """Returns the encoding in which the lines with other letters than ASCII make most sense.

    Names are short, and fit many encodings: the one with the fewest odd words comes first.
    """
    lines = b"\n".join(line for line in text.splitlines() if not line.isascii())
    sample = lines[:_GUESSED_BYTES]
    ranks = {}
    for match in from_bytes(sample, cp_isolation=_GUESSED):
        for found in match.could_be_from_charset:
            name = encoding_named(found)
            odd = _odd_words(sample.decode(name, "replace"), _COMMON_LETTERS.get(name, ""))
            ranks[name] = (odd, round(match.chaos, 1), -match.coherence, _GUESSED.index(name))
    return min(ranks, key=lambda name: ranks[name], default=ASSUMED)


def _odd_words(text: str, common: str) -> int:
    """Returns how many words no name has: with signs, rare letters, or several scripts.

    `common` is an encoding of the frequent letters alone.
    """
    words = re.split(r"[\s,;|\t\"]+", text)
    return sum(1 for word in words if word and _is_odd(word, common))


def _is_odd(word: str, common: str) -> bool:
    if find_damage("family_name", word) or _mixes_scripts(word):
        return True
    if unicodedata.category(word[0]).startswith("M"):
        return True
    return bool(common) and word.encode(common, "ignore").decode(common) != word


def _mixes_scripts(word: str) -> bool:
    letters = (character for character in word if character.isalpha())
    scripts = {unicodedata.name(letter, "?").partition(" ")[0] for letter in letters}
    return len(scripts - _EAST_ASIAN) + bool(scripts & _EAST_ASIAN) > 1 or "HALFWIDTH" in scripts


def encoding_named(name: str) -> str:
    """Returns our name of the encoding, however it is written; "" for none.

    Unreadable for any other encoding.
    """
    if not name:
        return ""
    try:
        wanted = codecs.lookup(_ALIASES.get(name.lower(), name)).name
    except LookupError:
        wanted = ""
    for encoding in LABELS:
        if codecs.lookup(encoding).name == wanted:
            return encoding
    raise Unreadable(f"This encoding is not known here. Known are: {', '.join(LABELS)}.")


def is_text(data: bytes, encoding: str) -> bool:
    """Tells whether these bytes are text in this encoding, without control characters."""
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError:
        return False
    return not any(is_control(character) for character in text)


def is_control(character: str) -> bool:
    """Tells whether no program writes this into a text.

    Letters of another encoding become such characters. Those that separate lines and values within
    a cell, as FileMaker writes them, count as spaces.
    """
    if character < " ":
        return not character.isspace()
    return "\x7f" <= character <= "\x9f"
