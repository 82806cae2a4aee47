"""Countries and languages: their codes, and their names from the Unicode CLDR."""

from collections import defaultdict
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from babel import Locale
from babel.core import get_global

from portal.patients.normalize import fold

# In CLDR beside the countries of ISO 3166-1: groups of countries, unknown ones, and islands that
# share the code of another country.
_NO_COUNTRIES = {"AC", "CP", "CQ", "DG", "EA", "EU", "EZ", "IC", "QO", "TA", "UN", "XA", "XB", "ZZ"}
_ENGLISH = Locale("en")
_OTHER_NAMES = {
    "AE": ["uae"],
    "CI": ["ivory coast"],
    "CV": ["cape verde"],
    "CZ": ["czech republic"],
    "GB": ["uk", "great britain", "britain", "england", "scotland", "wales", "northern ireland"],
    "HK": ["hong kong"],
    "MM": ["burma", "myanmar"],
    "MO": ["macau"],
    "NL": ["holland"],
    "PS": ["palestine"],
    "SZ": ["swaziland"],
    "TR": ["turkey"],
    "US": ["usa", "america", "united states of america"],
}
_OWN_NAMES = Path(__file__).with_name("country_names.txt")
# Further languages in which a country may be written, where its name means only one.
_LANGUAGES_OF_FILES = ("de", "fr", "es", "it", "pt", "nl")


def _sorted_by_name(names: Mapping[str, str]) -> dict[str, str]:
    return dict(sorted(names.items(), key=lambda item: fold(item[1])))


COUNTRIES = _sorted_by_name(
    {
        code: name
        for code, name in _ENGLISH.territories.items()
        if code.isalpha() and code not in _NO_COUNTRIES
    }
)
_LANGUAGES = {tag.replace("_", "-"): name for tag, name in _ENGLISH.languages.items()}
LANGUAGES = _sorted_by_name({tag: name for tag, name in _LANGUAGES.items() if len(tag) == 2})

_COUNTRY_CODES = {
    fold(name.replace(".", "")).removeprefix("the "): code for code, name in COUNTRIES.items()
}
for _code, _names in _OTHER_NAMES.items():
    _COUNTRY_CODES |= dict.fromkeys(_names, _code)
_LANGUAGE_TAGS = {fold(name): tag for tag, name in _LANGUAGES.items()}


def country_name(code: str) -> str:
    """Returns `Germany` for DE (ISO 3166-1 alpha-2), and an unknown code as it is."""
    return COUNTRIES.get(code, code)


def country_code(text: str) -> str:
    """Returns `DE` for Germany, Deutschland, de or DEU (ISO 3166-1); empty for other texts."""
    letters = text.replace(".", "").replace(" ", "").upper()
    if letters in COUNTRIES:
        return letters
    if len(letters) == 3 and (code := _code_of_three_letters(letters)):
        return code
    name = fold(text.replace(".", "")).removeprefix("the ")
    return _COUNTRY_CODES.get(name) or _foreign_names().get(name, "")


def _code_of_three_letters(letters: str) -> str:
    """Returns the ISO 3166-1 alpha-2 code of an alpha-3 code; empty if it is none."""
    codes = get_global("territory_aliases").get(letters, ())
    return codes[0] if len(codes) == 1 and codes[0] in COUNTRIES and letters.isalpha() else ""


@cache
def _foreign_names() -> dict[str, str]:
    """Returns codes by folded names: those in a country's own languages win over other ones."""
    own: dict[str, str] = {}
    for line in _OWN_NAMES.read_text("utf-8").splitlines()[1:]:
        code, _, names = line.partition(" ")
        own |= {fold(name): code for name in names.split("; ")}
    meanings: dict[str, set[str]] = defaultdict(set)
    for language in _LANGUAGES_OF_FILES:
        for code, name in Locale(language).territories.items():
            if code in COUNTRIES:
                meanings[fold(name)].add(code)
    return {name: min(codes) for name, codes in meanings.items() if len(codes) == 1} | own


def language_name(tag: str) -> str:
    """Returns `Portuguese (Brazil)` for pt-BR (BCP 47), and an unknown tag as it is."""
    language, _, region = tag.partition("-")
    name, country = _LANGUAGES.get(language.lower()), COUNTRIES.get(region.upper())
    if name is None or (region and country is None):
        return tag
    return f"{name} ({country})" if country else name


def language_tag(text: str) -> str:
    """Returns `pt-BR` for Portuguese (Brazil) or Brazilian Portuguese, and other text as typed."""
    if tag := _LANGUAGE_TAGS.get(fold(text)):
        return tag
    name, _, region = text.rstrip(")").partition("(")
    language, country = _LANGUAGE_TAGS.get(fold(name)), country_code(region)
    return f"{language}-{country}" if region and language and country else text
