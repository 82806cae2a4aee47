"""One box that knows record numbers, identifiers, phones, dates and names by their shape."""

import re
from datetime import date

from django.contrib.postgres.search import SearchQuery
from django.db.models import Q, QuerySet

from portal.patients.models import Patient, PatientIdentifier
from portal.patients.words import date_from, fold, identifier_value, is_mrn

_PHONE = re.compile(r"[+(]?[\d\s()./+-]{4,25}$")


def matching(patients: QuerySet[Patient], text: str) -> QuerySet[Patient]:
    """Those that the typed text may mean; all of them for an empty text, none for one without letters or digits."""
    text = text.strip()
    if not text:
        return patients
    meant = Q(pk__in=[])
    for reading in (_as_record_number, _as_date, _as_phone, _as_identifier, _as_name):
        meant |= reading(text)
    return patients.filter(meant)


def _as_record_number(text: str) -> Q:
    return Q(mrn=text) if is_mrn(text) else Q(pk__in=[])


def _as_date(text: str) -> Q:
    try:
        day: date | None = date_from(text)
    except ValueError:
        day = None
    return Q(date_of_birth=day) if day else Q(pk__in=[])


def _as_phone(text: str) -> Q:
    """The whole number or its tail, however it is spaced; a leading + and country code may be left out."""
    digits = re.sub(r"\D", "", text)
    if not _PHONE.match(text) or len(digits) < 4:
        return Q(pk__in=[])
    return Q(phone_tail__startswith=digits[::-1]) | Q(phone_e164=f"+{digits}")


def _as_identifier(text: str) -> Q:
    value = identifier_value(text)
    if len(value) < 4 or not any(c.isdigit() for c in value):
        return Q(pk__in=[])
    return Q(pk__in=PatientIdentifier.objects.filter(value=value).values("patient_id"))


def _as_name(text: str) -> Q:
    """Each word is the beginning of one of the person's names, in any order."""
    words = fold(text).split()
    if not words or all(word.isdigit() for word in words):
        return Q(pk__in=[])
    return Q(name_words=SearchQuery(" & ".join(f"'{word}':*" for word in words), search_type="raw", config="simple"))
