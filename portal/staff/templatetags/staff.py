"""Template filters for dates, times, numbers and missing values."""

from datetime import date, datetime
from typing import Any

from django import template
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

from portal.staff.jinja import environment

register = template.Library()

NOT_RECORDED = "Not recorded"


@register.simple_tag(takes_context=True)
def draw(context: template.Context, name: str) -> SafeString:
    """Draws a template of Jinja with the page's context: rows of tables, see portal.staff.jinja."""
    drawn = environment().get_template(name).render(context.flatten())
    return mark_safe(drawn)  # noqa: S308 - the template escapes.


@register.simple_tag
def draw_once(name: str, **values: Any) -> SafeString:
    """Draws a template of Jinja whose values stay the same as long as the process runs."""
    if name not in _drawn_once:
        drawn = environment().get_template(name).render(values)
        _drawn_once[name] = mark_safe(drawn)  # noqa: S308 - the template escapes.
    return _drawn_once[name]


_drawn_once: dict[str, SafeString] = {}


@register.filter
def day(value: date | None) -> str:
    """Formats a day as 05-Apr-2008."""
    return value.strftime("%d-%b-%Y") if value else NOT_RECORDED


@register.filter
def moment(value: datetime | None) -> str:
    """Formats a moment as 05-Apr-2008 14:03 in the clinic's time."""
    return timezone.localtime(value).strftime("%d-%b-%Y %H:%M") if value else NOT_RECORDED


@register.filter
def clock(value: datetime | None) -> str:
    """Formats a moment of today as 14:03, any other with its day."""
    if value is None:
        return "never"
    local = timezone.localtime(value)
    return local.strftime("%H:%M") if local.date() == timezone.localdate() else moment(value)


@register.filter
def to_second(value: datetime) -> str:
    """Formats a moment of today as 14:03:22, any other with its day."""
    local = timezone.localtime(value)
    is_today = local.date() == timezone.localdate()
    return local.strftime("%H:%M:%S" if is_today else "%d-%b-%Y %H:%M:%S")


@register.filter
def recorded(value: Any) -> str | SafeString:
    """Returns the value, or words for a missing one."""
    if value in (None, ""):
        return format_html('<span class="app-blank">{}</span>', NOT_RECORDED)
    return value


@register.filter
def phone_tail(text: str) -> str:
    """Returns the last four digits: enough to tell two patients apart, too few to call anybody."""
    digits = [character for character in text or "" if character.isdigit()]
    return "…" + "".join(digits[-4:]) if digits else ""


@register.filter
def thousands(number: int | None) -> str:
    """Formats a number as 12,345."""
    return "–" if number is None else f"{number:,}"
