"""Dates, names and blanks in the words that a front desk reads without thinking."""

from datetime import date, datetime
from typing import Any

from django import template
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

register = template.Library()

NOT_RECORDED = "Not recorded"
_BY_PRECISION = {"day": "%d-%b-%Y", "month": "%b-%Y", "year": "%Y"}


@register.filter
def day(value: date | None, precision: str = "day") -> str:
    """05-Apr-2008, or as much of it as is known."""
    if value is None:
        return NOT_RECORDED
    return value.strftime(_BY_PRECISION.get(precision, "%d-%b-%Y"))


@register.filter
def moment(value: datetime | None) -> str:
    """05-Apr-2008 14:03 in the clinic's time."""
    return timezone.localtime(value).strftime("%d-%b-%Y %H:%M") if value else NOT_RECORDED


@register.filter
def clock(value: datetime | None) -> str:
    """14:03 today, and the day with it on any other."""
    if value is None:
        return "never"
    local = timezone.localtime(value)
    return local.strftime("%H:%M") if local.date() == timezone.localdate() else moment(value)


@register.filter
def recorded(value: Any) -> str | SafeString:
    """The value, or the words for none."""
    return value if value not in (None, "") else format_html('<span class="app-blank">{}</span>', NOT_RECORDED)


@register.filter
def born(patient: Any) -> str:
    """05-Apr-2008 (18 years): the date as far as it is known, and the age."""
    if patient.date_of_birth is None:
        return NOT_RECORDED
    text = day(patient.date_of_birth, patient.date_of_birth_precision)
    return f"{text} ({age(patient)})"


@register.filter
def age(patient: Any) -> str:
    """In years, for small children in months or days; at death for the dead."""
    if patient.date_of_birth is None:
        return "age unknown"
    end = patient.deceased_on or timezone.localdate()
    words = age_between(patient.date_of_birth, end)
    about = "" if patient.date_of_birth_precision == "day" else "about "
    return f"{about}{words}" + (" at death" if patient.deceased_on else "")


def age_between(start: date, end: date) -> str:
    """A whole number of years from 2 on, of months from 2 months on, else of days."""
    months = (end.year - start.year) * 12 + end.month - start.month - (end.day < start.day)
    if months >= 24:
        return f"{months // 12} years"
    if months >= 2:
        return f"{months} months"
    return _count((end - start).days, "day")


@register.filter
def phone_tail(text: str) -> str:
    """The last four digits: enough to tell two people apart, too little to read out."""
    digits = [character for character in text or "" if character.isdigit()]
    return "…" + "".join(digits[-4:]) if digits else ""


@register.filter
def thousands(number: int | None) -> str:
    """12,345"""
    return "–" if number is None else f"{number:,}"


def _count(number: int, thing: str) -> str:
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"
