"""Which identifiers prove nothing: stand-ins, masked numbers, and numbers that were shortened."""

import re
import unicodedata
from enum import Enum
from functools import lru_cache

from portal.patients.normalize import identifier_value


class NoProof(Enum):
    """Why an identifier does not tell who a person is: a code, a reason, and what to do."""

    STAND_IN = ("stand-in", "stands for a number that is not known", "Leave the identifier out.")
    MASKED = (
        "masked",
        "shows only a part of the number",
        "Enter the whole number, or leave the identifier out.",
    )
    SHORTENED = (
        "shortened",
        "was shortened by a spreadsheet",
        "Copy the whole number from where it came, or leave the identifier out.",
    )

    DATE = (
        "date",
        "is a date, which a spreadsheet makes of many a number",
        "Copy the number from where it came, or leave the identifier out.",
    )

    @property
    def code(self) -> str:
        return self.value[0]

    @property
    def reason(self) -> str:
        """The end of a sentence about the value."""
        return self.value[1]

    @property
    def advice(self) -> str:
        """What to do, for a person who typed the value and for a program that sent it."""
        return f"This {self.reason}. {self.value[2]}"


# Words that files and people write where there is no number, as letters and digits in capitals.
_STAND_INS = """
    NULL NIL NONE NAN NA NV NO NONUMBER NOSSN NOID NOTKNOWN NOTAVAILABLE NOTAPPLICABLE NOTPROVIDED
    NOTGIVEN NOTONFILE NOTASSIGNED NOTISSUED NOTENTERED NODATA UNK UNKN UNKNOWN UNSPECIFIED
    UNDEFINED UNASSIGNED UNAVAILABLE UNIDENTIFIED MISSING BLANK EMPTY VOID REFUSED DECLINED WITHHELD
    PENDING APPLIEDFOR TBA TBC TBD TODO DUMMY TEST TESTING SAMPLE EXAMPLE DEFAULT PLACEHOLDER OTHER
    SELF SELFPAY UNINSURED KEINE KEINER KEIN OHNE UNBEKANNT NICHTBEKANNT FEHLT INCONNU INCONNUE
    AUCUN AUCUNE SANS NINGUNO NINGUNA DESCONOCIDO DESCONOCIDA SINDATOS SINNUMERO NESSUNO NESSUNA
    SCONOSCIUTO NENHUM NENHUMA DESCONHECIDO ONBEKEND GEEN BRAK NEZNAMY NENI OKAND SAKNAS UKENDT
    INGEN TUNTEMATON PUUTTUU
"""
_WORDS = frozenset(_STAND_INS.split())
# Numbers that forms, films and wallets made known. The Social Security Administration names the
# last two as such: https://www.ssa.gov/history/ssn/misused.html
_KNOWN_SPECIMENS = {"ssn": {"078051120", "219099999"}}
_REPEATED = re.compile(r"(\d{1,3})\1+\d{0,2}")  # 123123123
_SEQUENCES = ("01234567890123456789", "98765432109876543210")
_OURS = {"ssn", "driver", "passport", "insurance"}
# No office gives out one of letters alone, as "see file", nor a date.
NUMBERS_OF_OFFICES = _OURS | {"mrn-other"}
# Digits: a shorter sequence such as 1234, or 77, is a true number in some system of other people.
_MIN_RUN_OF_OURS, _MIN_RUN_ELSEWHERE = 5, 9
_LAST_DIGITS_OF_SSN = 4

# 1.23457E+11 and 1E+11; a passport 12E4567 has neither a sign nor a point.
_SCIENTIFIC = re.compile(r"[+-]?(\d[.,]\d+E[+-]?\d{1,3}|\dE\+\d{1,3})")
# 1984-01-15, 1/15/1984, 15-Jan-84, Jan-84, 2-Jan; 12-34-56 is a true number in many a hospital.
_DAY, _YEAR = r"(?:0?[1-9]|[12]\d|3[01])", r"(?:1[89]|2[01])\d\d"
_MONTH = (
    r"(?:JAN(?:UARY)?|FEB(?:RUARY)?|MAR(?:CH)?|APR(?:IL)?|MAY|JUNE?|JULY?|AUG(?:UST)?"
    r"|SEPT?(?:EMBER)?|OCT(?:OBER)?|NOV(?:EMBER)?|DEC(?:EMBER)?)\.?"
)
_DATE = re.compile(
    rf"(?:{_YEAR}([-/.]){_DAY}\1{_DAY}|{_DAY}([-/.]){_DAY}\2{_YEAR}"
    rf"|{_DAY}[-/ ]{_MONTH}(?:[-/ ](?:{_YEAR}|\d\d))?|{_MONTH}[-/ ](?:{_YEAR}|\d\d)"
    rf"|{_MONTH} {_DAY}, ?{_YEAR})(?:[T ]\d{{1,2}}:\d\d(?::\d\d(?:\.\d+)?)?(?: ?[AP]M|Z)?)?"
)
# NFKC makes three points of an ellipsis.
_MASK_SIGNS = re.compile(r"[*#?•●∙·▪■█_]{2,}|\.{3,}|\b(END(ING|S)?( IN| WITH)?|LAST ?4)\W*(?=\d)")
_MASK_SIGN = re.compile(r"[*#?•●∙·▪■█_.]")
_STARS_OF_BARCODE = re.compile(r"\*([^*]+)\*")  # Code 39 begins and ends with a star.
# As many numbers are, such as INS-4711-12 and AB123: they prove something unless they are a date.
_LETTERS_THEN_DIGITS = re.compile(r"(?!END|LAST)[A-WYZ]{1,4}-?[0-9]+(?:-[0-9]+)*\Z")
_MASKED_BY_X = re.compile(r"X{3,}\d*|\d+X{3,}\d*|(?:X{2,}[ ./-]+)+\d*")


@lru_cache(maxsize=5_000)  # The check of a row, and of its keys, asks about the same ones.
def why_it_proves_nothing(system: str, text: str) -> NoProof | None:
    """Returns why this identifier tells nobody apart, or None if it may.

    `text` is the value as typed: what tells a masked number is lost in the stored form.
    """
    typed = (text if text.isascii() else unicodedata.normalize("NFKC", text)).strip().upper()
    if _LETTERS_THEN_DIGITS.match(typed) and not ("-" in typed and _DATE.fullmatch(typed)):
        return None
    return _by_all_rules(system, typed)


def _by_all_rules(system: str, typed: str) -> NoProof | None:
    value = identifier_value(typed)
    if _SCIENTIFIC.fullmatch(typed):
        return NoProof.SHORTENED
    if _is_masked(system, typed, value):
        return NoProof.MASKED
    if system in NUMBERS_OF_OFFICES and _DATE.fullmatch(typed):
        return NoProof.DATE
    is_sign_alone = bool(typed) and not value  # "-", "?"
    is_null = is_sign_alone or typed == r"\N"  # MySQL and PostgreSQL export a missing value so.
    return NoProof.STAND_IN if is_null or _is_stand_in(system, value) else None


def _is_masked(system: str, typed: str, value: str) -> bool:
    inner = _STARS_OF_BARCODE.sub(r"\1", typed) if "*" in typed else typed
    has_digits = any(map(str.isdigit, value))
    if _has_mask_signs(inner) and (has_digits or not value):
        return True
    if "X" in inner:
        joined = re.sub(r"[\W_]", "", inner)
        if _MASKED_BY_X.fullmatch(inner) or _MASKED_BY_X.fullmatch(joined):
            return True
    end = value.lstrip("X")
    if system != "ssn" or not end.isdigit():
        return False
    # Only the end is known: 1234, X-1234, or 000-00-1234.
    is_end = len(end) <= _LAST_DIGITS_OF_SSN or value.startswith("00000")
    return is_end and bool(value.strip("0"))


def _has_mask_signs(text: str) -> bool:
    """Returns whether signs or words stand for digits; mostly a look at the letters is enough."""
    may_have = "END" in text or "LAST" in text or _MASK_SIGN.search(text)
    return bool(may_have and _MASK_SIGNS.search(text))


def _is_stand_in(system: str, value: str) -> bool:
    has_digit = any(map(str.isdigit, value))
    if system in NUMBERS_OF_OFFICES and not has_digit:
        return True
    if not value.isdigit():
        return value in _WORDS or (len(value) > 1 and not value.strip("X"))
    if not value.strip("0") or value in _KNOWN_SPECIMENS.get(system, ()):
        return True
    if system in _OURS and len(set(value)) == 1:
        return True
    shortest = _MIN_RUN_OF_OURS if system in _OURS else _MIN_RUN_ELSEWHERE
    if len(value) < shortest:
        return False
    if _REPEATED.fullmatch(value) and len(value) >= _MIN_RUN_ELSEWHERE:
        return True
    return len(set(value)) == 1 or any(value in sequence for sequence in _SEQUENCES)
