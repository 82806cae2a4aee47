"""Numbers and addresses in a search text: record numbers, identifiers, phones, e-mail, codes."""

import re
from collections.abc import Callable, Iterator, Sequence
from uuid import UUID

import phonenumbers

from portal.patients.extensions import Extension, extensions
from portal.patients.models import Patient
from portal.patients.normalize import identifier_value, valid_number, valid_numbers
from portal.patients.reference.identifier_systems import system_name
from portal.patients.search import tuning
from portal.patients.search.conditions import (
    Condition,
    any_of,
    is_among,
    prefix_range,
)
from portal.patients.search.interpretation import FoundPatient, QueryInterpretation
from portal.prepared import execute_prepared

# Digits with what is put between them; after them an extension or letters that stand for digits.
_PHONE = re.compile(
    r"[+(]?[\d\s()./,+-]{3,45}((x|ext\.?|#)\s?\d{1,6}|[a-z]{3,10})?$", re.IGNORECASE
)
_POSTAL_CODE = re.compile(r"(?=.*\d)[A-Z\d][A-Z\d-]{2,9}$")
# A word of a name in data for tests, such as `Abbott774`, and no identifier beside a name.
_NUMBERED_NAME = re.compile(r"[^\W\d_]{3,}\d{1,4}")
# Beside a name each part of a code has a digit, but for the letters of a Dutch one.
_POSTAL_CODE_BESIDE_NAME = re.compile(
    r"\d{4} ?[A-Z]{2}$|(?=[^ ]*\d)[A-Z\d-]{2,9}( (?=[^ ]*\d)[A-Z\d]{2,4})?$"
)
# The expressions as indexes have them.
_MRN_TAIL = 'reverse(mrn) COLLATE "C"'
_IDENTIFIER_TAIL = 'reverse(value) COLLATE "C"'
_EMAIL = 'lower(email) COLLATE "C"'
_POSTAL = """upper(replace(postal_code, ' ', '')) COLLATE "C\""""
_IS_MERGED = "(text) AS SELECT FROM patients_patient WHERE mrn = $1 AND merged_into_id IS NOT NULL"
_OUTWARD_CODE = re.compile(r"[A-Z]{1,2}\d[A-Z\d]?$")  # The first half of a British code.


def as_mrn(text: str) -> list[QueryInterpretation]:
    """Finds a record by its whole number, and the survivor of a merged record by its own."""
    digits = re.sub(r"[\s.-]", "", text)
    if not re.fullmatch(r"\d{8,20}", digits):
        return []
    found = [QueryInterpretation("mrn", Condition("mrn = %s", (digits,)), lambda _: "MRN")]
    if execute_prepared("is_merged", lambda: _IS_MERGED, [digits]):
        merged = Patient.objects.select_related("merged_into").get(mrn=digits)
        found.append(_as_merged_record(merged))
    return found


def _as_merged_record(merged: Patient) -> QueryInterpretation:
    """Finds the survivor by the number of the merged record, which is on old cards and letters."""
    reason = f"Its record {merged.mrn} was merged into this one"
    return QueryInterpretation("merged", is_among([merged.survivor.pk]), lambda _: reason)


def as_mrn_tail(text: str) -> list[QueryInterpretation]:
    """Finds the record numbers that end so."""
    digits = re.sub(r"[\s-]", "", text)
    if not re.fullmatch(rf"\d{{{tuning.SEARCH.min_mrn_tail_length},20}}", digits):
        return []
    condition = prefix_range(_MRN_TAIL, digits[::-1])
    return [QueryInterpretation("mrn-tail", condition, lambda _: f"MRN ends in {digits}")]


def as_identifier(text: str) -> list[QueryInterpretation]:
    """Finds the whole value of an identifier, however it is spaced."""
    value = identifier_value(text)
    if len(value) < tuning.SEARCH.min_tail_length or not any(map(str.isdigit, value)):
        return []

    def reason(patient: FoundPatient) -> str:
        for system, its_value in patient.identifiers or ():
            if its_value == value:
                return system_name(system)
        return "Identifier"

    holders = _held_by(Condition("value = %s", (value,)))
    return [QueryInterpretation("identifier", holders, reason, needs_identifiers=True)]


def as_identifier_tail(text: str) -> list[QueryInterpretation]:
    """Finds the identifiers that end so."""
    value = identifier_value(text)
    is_mostly_digits = sum(map(str.isdigit, value)) * 2 >= len(value)
    if len(value) < tuning.SEARCH.min_tail_length or not is_mostly_digits:
        return []

    def reason(patient: FoundPatient) -> str:
        for system, its_value in patient.identifiers or ():
            if its_value.endswith(value):
                return f"{system_name(system)} ends in {value}"
        return "Identifier"

    holders = _held_by(prefix_range(_IDENTIFIER_TAIL, value[::-1]))
    return [QueryInterpretation("identifier-tail", holders, reason, needs_identifiers=True)]


def _held_by(identifiers: Condition) -> Condition:
    """Returns the condition that the patient holds one of these identifiers."""
    holders = f"SELECT patient_id FROM patients_patientidentifier WHERE {identifiers.sql}"  # noqa: S608 - constants
    return Condition(f"patients_patient.id IN ({holders})", identifiers.values)


def as_phone(text: str) -> list[QueryInterpretation]:
    """Finds the whole number or its end, however it is spaced, with or without country code."""
    if not _PHONE.match(text):
        return _as_phones_among_words(text)
    number, digits = valid_number(text), re.sub(r"\D", "", text)
    if not number and (
        len(digits) < tuning.SEARCH.min_tail_length or re.search("[a-z]", text, re.I)
    ):
        return []
    min_whole = tuning.SEARCH.min_whole_phone_length
    if number:
        tail = phonenumbers.national_significant_number(number)
    else:
        tail = digits.lstrip("0") if len(digits) >= min_whole else digits
    reason = f"Phone ends in {tail}" if len(tail) < min_whole else "Phone"
    return [QueryInterpretation("phone", _has_phone_tail(tail), lambda _: reason)]


def _as_phones_among_words(text: str) -> list[QueryInterpretation]:
    """Finds the whole numbers in `617 555 0139 (mobile)`, and in two numbers side by side."""
    if sum(map(str.isdigit, text)) < tuning.SEARCH.min_whole_phone_length:
        return []
    tails = [phonenumbers.national_significant_number(number) for number in valid_numbers(text)]
    if not tails:
        return []
    condition = any_of(map(_has_phone_tail, tails))
    return [QueryInterpretation("phone", condition, lambda _: "Phone")]


def _has_phone_tail(tail: str) -> Condition:
    second = prefix_range("second_phone_tail", tail[::-1])
    second = Condition(f"({second.sql} AND NOT second_phone_tail = '')", second.values)
    return prefix_range("phone_tail", tail[::-1]) | second


def narrow_by_number(text: str) -> tuple[Condition, Callable[[FoundPatient], str]] | None:
    """Returns the condition of a number beside a name, and the reason for a patient.

    The number may be the end of a phone or an identifier, or a postal code.
    """
    if _NUMBERED_NAME.fullmatch(text):
        return None
    phones = as_phone(text) if _PHONE.match(text) else []
    identifiers = [*as_identifier(text), *as_identifier_tail(text)]
    digits = sum(map(str.isdigit, text))
    is_code = digits > 1 and _POSTAL_CODE_BESIDE_NAME.match(text.upper())
    codes = as_postal_code(text) if is_code else []
    if not phones and not codes and (digits < tuning.SEARCH.min_mrn_tail_length or " " in text):
        return None
    found = [*phones, *identifiers, *codes]

    def reason(patient: FoundPatient) -> str:
        digits, value = re.sub(r"\D", "", text), identifier_value(text)
        tails = (patient.phone_tail or "", patient.second_phone_tail or "")
        if phones and any(tail and tail.startswith(digits[::-1][:10]) for tail in tails):
            return phones[0].reason(patient)
        held = [its_value for _, its_value in patient.identifiers or ()]
        if any(number.endswith(value) for number in held):
            return identifiers[0 if value in held else -1].reason(patient)
        return (codes or found)[0].reason(patient)

    return any_of(interpretation.condition for interpretation in found), reason


def as_email(text: str) -> QueryInterpretation:
    """Finds the whole address or its beginning."""
    return QueryInterpretation("email", prefix_range(_EMAIL, text.lower()), lambda _: "E-mail")


def as_postal_code(text: str) -> list[QueryInterpretation]:
    """Finds a whole code however it is spaced, and 02110-1234 by 02110."""
    code = text.replace(" ", "").upper()
    if not _POSTAL_CODE.match(code):
        return []
    condition = prefix_range(_POSTAL, code, is_whole=True) | prefix_range(_POSTAL, f"{code}-")
    if _OUTWARD_CODE.match(code):
        condition = prefix_range(_POSTAL, code)
    return [QueryInterpretation("postal", condition, lambda _: "Postal code")]


def as_extension_number(text: str) -> Iterator[QueryInterpretation]:
    """Finds by a number that another area gives, as billing gives accounts."""
    for extension in extensions():
        if extension.find_by_number and (ids := extension.find_by_number(text)):
            yield _found_by(extension, ids)


def _found_by(extension: Extension, ids: Sequence[UUID]) -> QueryInterpretation:
    key = f"number-{extension.name}"
    return QueryInterpretation(key, is_among(ids), lambda _: extension.number_label)
