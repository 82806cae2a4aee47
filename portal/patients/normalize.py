"""Normalises what people type: names, phones, identifiers and record numbers."""

import re
import unicodedata
from collections.abc import Iterator

import phonenumbers
from django.conf import settings
from stdnum import damm

_APOSTROPHES = re.compile("['`\u2018\u2019\u02bc]")
_MRN = re.compile(r"\d{8,12}$")


def fold(text: str) -> str:
    """Returns the text in lower case, without accents, letters and digits only, as SQL does.

    One space stands between words. An apostrophe separates none: O'Brien is obrien.
    """
    text = _APOSTROPHES.sub("", text)
    plain = "".join(c for c in unicodedata.normalize("NFKD", text) if not "\u0300" <= c <= "\u036f")
    if plain.isascii():
        return re.sub(r"[\W_]+", " ", plain.lower()).strip()
    # Letter by letter, as the database does: in a whole word, Python gives the last Σ another form.
    lower = "".join(c.lower() for c in plain)
    return " ".join("".join(c if is_in_word(c) else " " for c in lower).split())


def identifier_value(text: str) -> str:
    """Returns letters and digits in capitals: `999-22-1962` and `999 22 1962` are one number."""
    return re.sub(r"[\W_]+", "", unicodedata.normalize("NFKC", text)).upper()


def is_mrn(text: str) -> bool:
    """Returns whether this has the shape and the check digit of an MRN of this portal."""
    return bool(_MRN.match(text)) and damm.is_valid(text)


def e164(phone: str, country: str = "") -> str:
    """Returns the number in E.164 (ITU-T); empty if it is not valid, and is only kept as typed."""
    try:
        number = phonenumbers.parse(phone, country or settings.DEFAULT_COUNTRY)
    except phonenumbers.NumberParseException:
        return ""
    if not phonenumbers.is_valid_number(number):
        return ""
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def e164_after_change(phone: str, country: str, *, before: tuple[str, str]) -> str:
    """Returns the number of a record after a change; `before` is its phone and number until then.

    A phone that stays keeps its number if the new country does not know it: another country does
    not make it less of a number.
    """
    number = e164(phone, country)
    return before[1] if not number and phone == before[0] else number


def phone_tail(phone: str) -> str:
    """Returns the end of a number, backwards as it is stored.

    Of a valid one (E.164) it is what all its spellings share.
    """
    if phone.startswith("+"):
        lengths = (
            length
            for length in (2, 3, 4)
            if int(phone[1:length]) in phonenumbers.COUNTRY_CODE_TO_REGION_CODE
        )
        phone = phone[next(lengths, 1) :].lstrip("0")
    return phone[::-1]


_LETTERS = frozenset({"Lu", "Ll", "Lt", "Lm", "Lo", "Nl"})
# Unicode's Other_Alphabetic above U+036F, as PostgreSQL 18 has it; `unicodedata` lacks it.
_SIGNS = """
    5b0-5bd 5bf 5c1-5c2 5c4-5c5 5c7 610-61a 64b-657 659-65f 670 6d6-6dc 6e1-6e8 6ed 711-73f
    7a6-7b0 816-817 81b-82c 8d4-8df 8e3-8e9 8f0-93b 93e-94c 94e-94f 955-963 981-983 9be-9c8
    9d7-9e3 a01-a03 a3e-a4c a51 a70-a75 a81-a83 abe-acc ae2-ae3 afa-afc b01-b03 b3e-b47 b56-b63
    b82-bc8 bd7 c00-c04 c3e-c4c c55-c63 c81-c83 cbe-ccc cd5-ce3 d00-d03 d3e-d48 d57 d62-d63
    d81-d83 dcf-ddf df2-df3 e31-e3a e4d eb1-eb9 ebb-ebc ecd f71-f83 f8d-fbc 102b-1036 1038
    103b-103e 1056-108f 109a-109d 1712-1713 1732-1733 1752-1773 17b6-17c8 1885-1938 1a17-1a1b
    1a55-1a5e 1a61-1a74 1abf-1ac0 1acc-1b04 1b35-1b42 1b80-1ba9 1bac-1bad 1be7-1bf1 1c24-1c36
    1dd3-1df4 2de0-2dff a674-a67b a69e-a69f a802 a80b-a827 a880-a8c3 a8c5 a8ff a926-a92a a947-a952
    a980-a983 a9b4-a9bf a9e5 aa29-aa4d aa7b-aabe aaeb-aaef aaf5 abe3-abea fb1e 10376-1037a
    10a01-10a0f 10d24-10d27 10eab-10eac 11000-11045 11073-11074 11080-110b8 110c2 11100-11132
    11145-11146 11180-111bf 111ce-111cf 1122c-11234 11237 1123e 112df-112e8 11300-11303
    1133e-11348 11357-11363 11435-11441 11443-11445 114b0-114c1 115af-115be 115dc-1163e 11640
    116ab-116b5 1171d-1172a 1182c-11838 11930-1193c 11940-11942 119d1-119df 119e4-11a0a
    11a35-11a3e 11a51-11a97 11c2f-11c3e 11c92-11d41 11d43 11d47 11d8a-11d96 11ef3-11ef6
    16f4f-16f92 16ff0-16ff1 1bc9e 1e000-1e02a 1e947 1f150-1f169 1f170-1f189
"""


def _characters_in(ranges: str) -> Iterator[str]:
    for text in ranges.split():
        first, _, last = text.partition("-")
        for code in range(int(first, 16), int(last or first, 16) + 1):
            yield chr(code)


_MARKS = frozenset(_characters_in(_SIGNS))


def is_in_word(character: str) -> bool:
    """Returns whether `[[:alnum:]]` of PostgreSQL's `pg_c_utf8` matches the character."""
    if character.isascii():
        return character.isalnum()
    return unicodedata.category(character) in _LETTERS or character in _MARKS
