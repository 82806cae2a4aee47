"""A patient's dates, age and codes in the words of the pages."""

from functools import cache
from uuid import UUID

from django import template
from django.urls import reverse
from django.utils import timezone

from portal.patients.audit import action_name
from portal.patients.models import Patient
from portal.patients.reference.ages import age_in_words
from portal.patients.reference.countries import language_name
from portal.patients.reference.identifier_systems import system_name
from portal.stored_dates import known_date

register = template.Library()
register.filter(system_name)
register.filter(action_name)
register.filter(language_name)

# By the precision of a date, for `strftime`.
DATE_FORMATS = {"day": "%d-%b-%Y", "month": "%b-%Y", "year": "%Y"}


@register.filter
def patient_address(patient_id: UUID) -> str:
    """Returns the address of the patient's page, as `url` does, which takes longer in a table."""
    return _address_around_id().replace(str(_ANY), str(patient_id))


_ANY = UUID(int=0)


@cache
def _address_around_id() -> str:
    return reverse("patients:show", args=[_ANY])


@register.filter
def born(patient: Patient) -> str:
    """Returns the date of birth as far as it is known, and the age: `05-Apr-2008 (18 years)`."""
    if patient.date_of_birth is None:
        return "Not recorded"
    return f"{birth_date(patient)} ({age(patient)})"


@register.filter
def birth_date(patient: Patient) -> str:
    """Returns `05-Apr-2008`, or as much of it as is known: `Apr-2008`, `2008`."""
    if patient.date_of_birth is None:
        return "Not recorded"
    return patient.date_of_birth.strftime(DATE_FORMATS[patient.date_of_birth_precision])


@register.filter
def birth_doubt(patient: Patient) -> str:
    """Returns what is not known of the date of birth, for the banner; empty if all is known."""
    if patient.date_of_birth is None:
        return "Date of birth not known"
    if known_date(patient.date_of_birth) is None:
        return "Date of birth to be corrected"
    doubts = {"month": "Day of birth not known", "year": "Only the year of birth is known"}
    return doubts.get(patient.date_of_birth_precision, "")


@register.filter
def age(patient: Patient) -> str:
    """Returns the age in words, today or at death."""
    birth, end = known_date(patient.date_of_birth), patient.deceased_on or timezone.localdate()
    if birth is None or known_date(end) is None:
        return "age unknown"
    words = age_in_words(birth, patient.date_of_birth_precision, until=end)
    return f"{words} at death" if patient.deceased_on else words


@register.filter
def channel_name(channel: str) -> str:
    """Returns the channel of a change or a read as people call it."""
    names = {"portal": "Staff pages", "api": "API", "sql": "Database"}
    return names.get(channel, channel.capitalize())
