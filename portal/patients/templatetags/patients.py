"""A patient's dates, ages and numbers in the words of the pages."""

from django import template
from django.utils import timezone

from portal.patients.ages import age_in_words
from portal.patients.models import Patient
from portal.patients.systems import system_name

register = template.Library()
register.filter(system_name)

_BY_PRECISION = {"day": "%d-%b-%Y", "month": "%b-%Y", "year": "%Y"}


@register.filter
def born(patient: Patient) -> str:
    """05-Apr-2008 (18 years): the date as far as it is known, and the age."""
    if patient.date_of_birth is None:
        return "Not recorded"
    text = patient.date_of_birth.strftime(_BY_PRECISION[patient.date_of_birth_precision])
    return f"{text} ({age(patient)})"


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
    return {"portal": "Staff pages", "api": "API", "sql": "Database"}.get(source, source.capitalize())
