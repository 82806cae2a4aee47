"""A patient's dates, ages and numbers in the words of the pages."""

from django import template
from django.utils import timezone

from portal.patients.audit import reading_name
from portal.patients.models import Patient
from portal.patients.reference.ages import age_in_words
from portal.patients.reference.countries import language_name
from portal.patients.reference.identifier_systems import system_name

register = template.Library()
register.filter(system_name)
register.filter(reading_name)
register.filter(language_name)

BY_PRECISION = {"day": "%d-%b-%Y", "month": "%b-%Y", "year": "%Y"}


@register.filter
def born(patient: Patient) -> str:
    """05-Apr-2008 (18 years): the date as far as it is known, and the age."""
    return (
        "Not recorded"
        if patient.date_of_birth is None
        else f"{birth_date(patient)} ({age(patient)})"
    )


@register.filter
def birth_date(patient: Patient) -> str:
    """05-Apr-2008, or what is known of it: Apr-2008, 2008."""
    if patient.date_of_birth is None:
        return "Not recorded"
    return patient.date_of_birth.strftime(BY_PRECISION[patient.date_of_birth_precision])


@register.filter
def birth_doubt(patient: Patient) -> str:
    """What is not known of the date of birth, for the banner; empty where all is."""
    if patient.date_of_birth is None:
        return "Date of birth not known"
    return {"month": "Day of birth not known", "year": "Only the year of birth is known"}.get(
        patient.date_of_birth_precision, ""
    )


@register.filter
def age(patient: Patient) -> str:
    """In years, for small children in months or days; at death for the dead."""
    if patient.date_of_birth is None:
        return "age unknown"
    end = patient.deceased_on or timezone.localdate()
    words = age_in_words(patient.date_of_birth, patient.date_of_birth_precision, until=end)
    return words + (" at death" if patient.deceased_on else "")


@register.filter
def source_name(source: str) -> str:
    """The door that a change came through, as people call it."""
    return {"portal": "Staff pages", "api": "API", "sql": "Database"}.get(
        source, source.capitalize()
    )


def _count(number: int, thing: str) -> str:
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"
