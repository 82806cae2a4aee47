"""Countries and languages: codes for programs, names for people, in the English of the Unicode CLDR."""

from collections.abc import Mapping

from babel import Locale

from portal.patients.normalize import fold

# What CLDR has beside the countries of ISO 3166-1: groups of them, unknown ones, islands that share another's code.
_NO_COUNTRIES = {"AC", "CP", "CQ", "DG", "EA", "EU", "EZ", "IC", "QO", "TA", "UN", "XA", "XB", "ZZ"}
_ENGLISH = Locale("en")
_ALSO = {
    "usa": "US", "america": "US", "uk": "GB", "great britain": "GB", "britain": "GB", "england": "GB",
    "scotland": "GB", "wales": "GB", "northern ireland": "GB", "holland": "NL", "turkey": "TR", "czech republic": "CZ",
    "ivory coast": "CI", "burma": "MM", "myanmar": "MM", "hong kong": "HK", "macau": "MO", "palestine": "PS",
    "swaziland": "SZ", "cape verde": "CV",
}  # fmt: skip


def _by_name(names: Mapping[str, str]) -> dict[str, str]:
    return dict(sorted(names.items(), key=lambda pair: fold(pair[1])))


COUNTRIES = _by_name(
    {
        code: name
        for code, name in _ENGLISH.territories.items()
        if code.isalpha() and {code} - _NO_COUNTRIES
    }
)
_LANGUAGES = {tag.replace("_", "-"): name for tag, name in _ENGLISH.languages.items()}
LANGUAGES = _by_name({tag: name for tag, name in _LANGUAGES.items() if len(tag) == 2})

_COUNTRY_CODES = {fold(name): code for code, name in COUNTRIES.items()} | _ALSO
_LANGUAGE_TAGS = {fold(name): tag for tag, name in _LANGUAGES.items()}


def country_name(code: str) -> str:
    """`Germany` for DE (ISO 3166-1 alpha-2); a code that we do not know as it is."""
    return COUNTRIES.get(code, code)


def country_code(text: str) -> str:
    """`DE` for Germany, germany or de; empty if it is neither a name nor two letters."""
    if len(text) == 2 and text.isascii() and text.isalpha() and text.upper() != "UK":
        return text.upper()
    return _COUNTRY_CODES.get(fold(text), "")


def language_name(tag: str) -> str:
    """`Portuguese (Brazil)` for pt-BR (BCP 47); what we do not know as it is."""
    language, _, region = tag.partition("-")
    name, country = _LANGUAGES.get(language.lower()), COUNTRIES.get(region.upper())
    if name is None or (region and country is None):
        return tag
    return f"{name} ({country})" if country else name


def language_tag(text: str) -> str:
    """`pt-BR` for Portuguese (Brazil) or Brazilian Portuguese; what is no name that we know stays as typed."""
    language, _, region = text.rstrip(")").partition("(")
    known = _LANGUAGE_TAGS.get(fold(text))
    if known is None and region:
        known = _joined(_LANGUAGE_TAGS.get(fold(language)), country_code(region))
    return known or text


def _joined(language: str | None, country: str) -> str:
    return f"{language}-{country}" if language and country else ""
