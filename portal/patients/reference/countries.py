"""Countries and languages: their codes, and their English names from the Unicode CLDR."""

from collections.abc import Mapping

from babel import Locale

from portal.patients.normalize import fold

# In CLDR beside the countries of ISO 3166-1: groups of countries, unknown ones, and islands that
# share the code of another country.
_NO_COUNTRIES = {"AC", "CP", "CQ", "DG", "EA", "EU", "EZ", "IC", "QO", "TA", "UN", "XA", "XB", "ZZ"}
_ENGLISH = Locale("en")
_OTHER_NAMES = {
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
    "US": ["usa", "america"],
}


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

_COUNTRY_CODES = {fold(name): code for code, name in COUNTRIES.items()}
for _code, _names in _OTHER_NAMES.items():
    _COUNTRY_CODES |= dict.fromkeys(_names, _code)
_LANGUAGE_TAGS = {fold(name): tag for tag, name in _LANGUAGES.items()}


def country_name(code: str) -> str:
    """Returns `Germany` for DE (ISO 3166-1 alpha-2), and an unknown code as it is."""
    return COUNTRIES.get(code, code)


def country_code(text: str) -> str:
    """Returns `DE` for Germany, germany or de; empty if it is neither a name nor two letters."""
    if len(text) == 2 and text.isascii() and text.isalpha() and text.upper() != "UK":
        return text.upper()
    return _COUNTRY_CODES.get(fold(text), "")


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
