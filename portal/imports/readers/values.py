"""Normalises words of the sources to those of our fields; a word that is not listed stays."""

SEX = {"m": "male", "f": "female", "o": "other", "u": "unknown"}

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


def normalise_sex(text: str) -> str:
    """Returns `male` for `M`."""
    return SEX.get(text.strip().lower(), text.strip())


def normalise_origin(text: str) -> str:
    """Returns one label of a race or ethnicity.

    Otherwise two files of one source would overwrite each other.
    """
    return _ORIGIN.get(text.strip().lower(), text.strip())
