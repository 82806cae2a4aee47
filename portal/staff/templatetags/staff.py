"""Dates, names and blanks in the words that a front desk reads without thinking."""

from datetime import date, datetime
from typing import Any

from django import template
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

register = template.Library()

NOT_RECORDED = "Not recorded"


@register.filter
def day(value: date | None) -> str:
    """05-Apr-2008"""
    return value.strftime("%d-%b-%Y") if value else NOT_RECORDED


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
def to_second(value: datetime) -> str:
    """14:03:22, for what is seconds old; the day with it where that is not today."""
    local = timezone.localtime(value)
    return (
        local.strftime("%H:%M:%S")
        if local.date() == timezone.localdate()
        else local.strftime("%d-%b-%Y %H:%M:%S")
    )


@register.filter
def recorded(value: Any) -> str | SafeString:
    """The value, or the words for none."""
    return (
        value
        if value not in (None, "")
        else format_html('<span class="app-blank">{}</span>', NOT_RECORDED)
    )


@register.filter
def phone_tail(text: str) -> str:
    """The last four digits: enough to tell two people apart, too little to read out."""
    digits = [character for character in text or "" if character.isdigit()]
    return "…" + "".join(digits[-4:]) if digits else ""


@register.filter
def thousands(number: int | None) -> str:
    """12,345"""
    return "–" if number is None else f"{number:,}"
