"""Normalises words of the sources to those of our fields; a word that is not listed stays."""

from collections.abc import Iterable, Mapping

# Fields whose values may be other words in each file, and get their meaning from a person.
MAPPED = ("sex",)
MEANINGS = frozenset({"female", "male", "other", "unknown", ""})  # Empty: not recorded.
_ENGLISH_CODES = {"m": "male", "f": "female", "o": "other", "u": "unknown"}
_ENGLISH_WORDS = {
    "male": "male",
    "man": "male",
    "boy": "male",
    "female": "female",
    "woman": "female",
    "girl": "female",
    "masculine": "male",
    "feminine": "female",
    "other": "other",
    "nonbinary": "other",
    "non-binary": "other",
    "unknown": "unknown",
    "unk": "unknown",
    "not known": "unknown",
    "not recorded": "unknown",
    "not specified": "unknown",
    "not stated": "unknown",
}
# Words of other languages that mean one thing alone.
_OTHER_WORDS = {
    **dict.fromkeys(["männlich", "mann", "masculin", "homme", "masculino", "hombre"], "male"),
    **dict.fromkeys(["varón", "maschio", "homem", "mannelijk", "mężczyzna", "mand"], "male"),
    **dict.fromkeys(["weiblich", "frau", "féminin", "femme", "femenino", "mujer"], "female"),
    **dict.fromkeys(["masc", "masc."], "male"),
    **dict.fromkeys(["fem", "fem."], "female"),
    **dict.fromkeys(["femmina", "feminino", "mulher", "vrouw", "vrouwelijk"], "female"),
    **dict.fromkeys(["kobieta", "kvinde", "kvinne", "kvinna"], "female"),
    **dict.fromkeys(["divers"], "other"),
    **dict.fromkeys(["unbekannt", "inconnu", "desconocido"], "unknown"),
}
_WORDS = _ENGLISH_WORDS | _OTHER_WORDS
# Codes that are used together: English, German, Spanish, French, Dutch, Scandinavian and Polish,
# and ISO 5218. The first set that has all codes of a column is proposed.
_CODE_SETS = (
    _ENGLISH_CODES | {"x": "other"},
    {"m": "male", "w": "female", "d": "other", "x": "other", "u": "unknown"},
    {"h": "male", "m": "female", "x": "other"},
    {"h": "male", "f": "female", "x": "other"},
    {"m": "male", "v": "female", "x": "other", "o": "unknown"},
    {"m": "male", "k": "female", "x": "other"},
    {"0": "unknown", "1": "male", "2": "female", "9": "unknown"},
)
CODE_CHARACTERS = 2  # A longer value is a word and no code.

# The labels of the US Office of Management and Budget, which Synthea's FHIR has.
_OMB_LABELS = (
    "White",
    "Black or African American",
    "Asian",
    "American Indian or Alaska Native",
    "Native Hawaiian or Other Pacific Islander",
    "Other",
    "Hispanic or Latino",
    "Not Hispanic or Latino",
)
# The short words that Synthea's CSV has for them.
_SHORT_LABELS = {
    "black": "Black or African American",
    "native": "American Indian or Alaska Native",
    "hawaiian": "Native Hawaiian or Other Pacific Islander",
    "hispanic": "Hispanic or Latino",
    "nonhispanic": "Not Hispanic or Latino",
}
_ORIGIN = {label.lower(): label for label in _OMB_LABELS} | _SHORT_LABELS


def value_key(text: str) -> str:
    """Returns the value as meanings are kept by."""
    return text.strip().casefold()


def normalise_sex(text: str) -> str:
    """Returns `male` for `M`."""
    return _WORDS.get(value_key(text)) or _ENGLISH_CODES.get(value_key(text), text.strip())


def are_english_codes(found: Iterable[str]) -> bool:
    """Tells whether the codes of a column of sexes, if there are any, are those of English.

    One other code, or one word of another language, and M may be mujer.
    """
    keys = {value_key(text) for text in found}
    return not any(_is_code(key) and key not in _ENGLISH_CODES for key in keys) and not (
        keys & _OTHER_WORDS.keys()
    )


def guess_meanings(found: Iterable[str]) -> dict[str, str]:
    """Returns a meaning for each value of a column of sexes; "?" where none can be guessed."""
    keys = {value_key(text) for text in found}
    codes = {key for key in keys if _is_code(key)}
    code_set = next((known for known in _CODE_SETS if codes <= known.keys()), {})
    return {key: _WORDS.get(key) or code_set.get(key, "?") for key in sorted(keys)}


def read_sex(text: str, meanings: Mapping[str, str], *, english: bool) -> str | None:
    """Returns what a value means; None for a code that has no meaning by itself.

    A word that is not known stays, and is refused as such.
    """
    key = value_key(text)
    if key in meanings:
        return meanings[key]
    if key in _WORDS:
        return _WORDS[key]
    if _is_code(key) and not (english and key in _ENGLISH_CODES):
        return None
    return _ENGLISH_CODES.get(key, text.strip())


def _is_code(key: str) -> bool:
    return len(key) <= CODE_CHARACTERS and key.isalnum()


def normalise_origin(text: str) -> str:
    """Returns one label of a race or ethnicity.

    Otherwise two files of one source would overwrite each other.
    """
    return _ORIGIN.get(text.strip().lower(), text.strip())
