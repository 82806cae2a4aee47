"""Normalises what people type: names, phones, identifiers and record numbers."""

import re
import unicodedata
from functools import lru_cache
from itertools import islice

import phonenumbers
from django.conf import settings
from stdnum import damm

from portal.patients.letters import REPEATED, SPACING_ACCENTS, fold_character
from portal.text import has_letter

_NO_LETTER_OR_DIGIT = re.compile(r"[\W_]+")
_NOT_IN_WORD = re.compile(r"[\W_]+", re.ASCII)
# Hangul, kana and Han.
_CHARACTER_OF_NAME = re.compile(
    "([\u1100-\u11ff\u3005-\u3007\u3041-\u30ff\u3400-\u4dbf\u4e00-\u9fff\U00020000-\U0003ffff])"
)
_ARABIC_ARTICLE = re.compile(r"\bال(?=\w{3})")
# The second letter of ae, oe, ue and aa: Mueller is Müller, and Aase is Åse.
_LONG_VOWEL = re.compile("(?<=[aou])e|(?<=a)a")
_MORE_THAN_A_NUMBER = re.compile("[^0-9 .()+-]")
# Ten digits as most people write them. Parsing takes as long again as the check of the number.
_PLAIN_US = re.compile(r"\(?([2-9][0-9]{2})\)?[ .-]?([2-9][0-9]{2})[ .-]?([0-9]{4})$")
_E164 = phonenumbers.PhoneNumberFormat.E164
_TRUNK_ZERO = re.compile(r"((?:\+|00)\d{1,3})\s?\(0\)\s?")  # +1 (0) 617 555 0131
_MAX_PHONE_LENGTH = 100  # characters that are looked at; raised: more text around a number
_MRN = re.compile(r"\d{8,12}$")


def fold(text: str) -> str:
    """Returns the text in lower case, without accents, letters and digits only, as SQL does.

    One space stands between words. An apostrophe and what nobody sees separate none: O'Brien is
    obrien. `letters.py` says what becomes of each character.
    """
    if not text.isascii():
        repeated = REPEATED.sub(r"\1\1", text.translate(SPACING_ACCENTS))
        decomposed = unicodedata.normalize("NFKD", repeated)
        return " ".join("".join(map(fold_character, decomposed)).split())
    return _NOT_IN_WORD.sub(" ", text.replace("'", "").replace("`", "").lower()).strip()


def name_key(family_name: str, given_name: str) -> str:
    """Returns the folded words of both names in the order of the alphabet, as SQL does.

    However a name is parted in two fields, the key is the same. Characters of Chinese, Japanese
    and Korean stand for words: such names are written without a space. Empty for names without a
    letter, such as `.`, which are no names to compare.
    """
    if family_name.isalpha() and given_name.isalpha() and (family_name + given_name).isascii():
        return " ".join(sorted((family_name.lower(), given_name.lower())))
    words = split_characters(fold(f"{family_name} {given_name}")).split()
    return " ".join(sorted(words)) if has_letter("".join(words)) else ""


def joined_name(first: str, second: str) -> str:
    """Returns both folded names as one word, in one spelling of their vowels.

    Two that have the same one differ by spaces, by ae for ä or aa for å, or by the Arabic article.
    """
    return _join(first if first == second else f"{first} {second}")


def _join(name: str) -> str:
    if not name.isascii():
        name = _ARABIC_ARTICLE.sub("", name.replace("عبد ال", "عبد").replace("عبدال", "عبد"))
    return _LONG_VOWEL.sub("", name.replace(" ", ""))


def split_characters(folded: str) -> str:
    """Returns the folded words with each Chinese, Japanese and Korean character as a word."""
    return folded if folded.isascii() else _CHARACTER_OF_NAME.sub(r" \1 ", folded)


def identifier_value(text: str) -> str:
    """Returns letters and digits in capitals: `999-22-1962` and `999 22 1962` are one number."""
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text)
    return text.upper() if text.isalnum() else _NO_LETTER_OR_DIGIT.sub("", text).upper()


def plain_digit(character: str) -> str:
    """Returns 0 to 9 for a digit of any script, and other characters as they are."""
    if character.isascii() or not character.isdecimal():
        return character
    return str(unicodedata.decimal(character))


def is_mrn(text: str) -> bool:
    """Returns whether this has the shape and the check digit of an MRN of this portal."""
    return bool(_MRN.match(text)) and damm.is_valid(text)


def e164(phone: str, country: str = "") -> str:
    """Returns the number in E.164 (ITU-T); empty where it is invalid and kept as typed alone.

    Of several numbers in one field, and of a number among words, it is the first valid one.
    """
    region = country or settings.DEFAULT_COUNTRY
    if region == "US" and (plain := _PLAIN_US.match(phone)):
        area, exchange, line = plain.groups()
        if _is_us_exchange(area + exchange):
            return f"+1{area}{exchange}{line}"
    number = valid_number(phone, country)
    return phonenumbers.format_number(number, _E164) if number else ""


@lru_cache(maxsize=10_000)
def _is_us_exchange(six_digits: str) -> bool:
    """Returns whether a number of the US may begin so; its last four digits do not matter."""
    number = phonenumbers.PhoneNumber(1, int(f"{six_digits}0123"))
    return phonenumbers.is_valid_number_for_region(number, "US")


def valid_number(phone: str, country: str = "") -> phonenumbers.PhoneNumber | None:
    """Returns the first valid phone number in the text, or None."""
    region = country or settings.DEFAULT_COUNTRY
    visible = phone[:_MAX_PHONE_LENGTH]
    if not visible.isascii():
        visible = "".join(c for c in visible if unicodedata.category(c) != "Cf")
    try:
        number = phonenumbers.parse(visible, region)
    except phonenumbers.NumberParseException:
        number = None
    if number and phonenumbers.is_valid_number(number):
        return number
    if _TRUNK_ZERO.match(visible):
        return valid_number(_TRUNK_ZERO.sub(r"\1 ", visible), country)
    return next(iter(valid_numbers(visible, country)), None)


def valid_numbers(text: str, country: str = "") -> list[phonenumbers.PhoneNumber]:
    """Returns the valid phone numbers among the words of a text, two at most."""
    region = country or settings.DEFAULT_COUNTRY
    found = phonenumbers.PhoneNumberMatcher(text[:_MAX_PHONE_LENGTH], region)
    return [match.number for match in islice(found, 2)]


def second_number(phone: str) -> str:
    """Returns a second valid number of the field in E.164; empty where there is none."""
    if not _MORE_THAN_A_NUMBER.search(phone) or not any(map(str.isdigit, phone)):
        return ""
    numbers = valid_numbers(phone)
    return phonenumbers.format_number(numbers[1], _E164) if len(numbers) > 1 else ""


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
            if (code := phone[1:length]).isdecimal()  # SQL can store a "+" without a number.
            and int(code) in phonenumbers.COUNTRY_CODE_TO_REGION_CODE
        )
        phone = phone[next(lengths, 1) :].lstrip("0")
    return phone[::-1]
