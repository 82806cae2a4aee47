"""The rows of the admin's forms: each is drawn once by the theme, with places for its values.

The theme takes half a millisecond a row. As in `portal.staff.renderer` the values stay out of
memory. Rows with an error, and those of other widgets than WIDGETS, are drawn anew each time.
"""

import copy
import json
import re
from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any

from django import template
from django.contrib.admin.helpers import AdminField, AdminReadonlyField
from django.forms import BoundField, ModelChoiceField, TextInput
from django.template import Context
from django.utils.html import conditional_escape
from django.utils.safestring import SafeString, mark_safe
from pygments import highlight
from pygments.formatters.html import HtmlFormatter
from pygments.lexers.data import JsonLexer
from unfold.widgets import (
    UnfoldAdminBigIntegerFieldWidget,
    UnfoldAdminEmailInputWidget,
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminSingleDateWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
)

from portal.staff.theme import draw_anew, draw_once

register = template.Library()

ROW = "unfold/helpers/fieldset_row.html"
WIDGETS = {  # They show one value, as it is.
    TextInput,
    UnfoldAdminBigIntegerFieldWidget,
    UnfoldAdminEmailInputWidget,
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminSingleDateWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
}
_PLACE = re.compile("\x02(\\d+)\x03")  # Where a value goes; no label has such characters.
_STYLES = {"block dark:hidden": "colorful", "hidden dark:block": "monokai"}  # Of JSON.

Field = AdminField | AdminReadonlyField
Looks = tuple[Any, ...]


class PlacedLine:
    """A line of a form with places instead of values."""

    def __init__(self, line: Any, fields: Sequence[Field]) -> None:
        self.fields, self._fields = line.fields, fields
        self.has_visible_field = line.has_visible_field

    def __iter__(self) -> Iterator[Field]:
        return iter(self._fields)


@register.simple_tag(takes_context=True)
def admin_row(context: Context) -> SafeString:
    """Draws the line of the form that the context has, as the theme's template does."""
    values: list[str] = []
    placed = [_place(field, values) for field in context["line"]]
    if None in placed or context.get("stacked"):
        return mark_safe(draw_anew(ROW, context))  # noqa: S308 - the template escapes.
    fields, field_looks = zip(*placed, strict=True)
    looks = (
        type(context["adminform"].model_admin),
        context["forloop"]["last"],
        bool(context.get("has_conditional_display")),
        *field_looks,
    )
    html = draw_once(ROW, context, *looks, line=PlacedLine(context["line"], fields))
    return mark_safe(_PLACE.sub(lambda place: values[int(place[1])], html))  # noqa: S308 - escaped.


def _place(field: Any, values: list[str]) -> tuple[Field, Looks] | None:
    """Returns the field with a place, and what its HTML depends on; adds its value to `values`.

    Returns None for a field that is drawn anew.
    """
    if field.is_readonly:
        return _place_readonly(field, values)
    bound: BoundField = field.field
    widget, shown = bound.field.widget, bound.value()
    if bound.errors:
        return None
    placed = copy.copy(field)
    if type(widget) is UnfoldAdminSelectWidget and not isinstance(bound.field, ModelChoiceField):
        choice: Looks = (str(shown), str(list(widget.choices)))
    elif type(widget) in WIDGETS:
        text = widget.format_value(shown)
        place = _take_place(values, text) if text else text
        choice = (place,)
        placed.field = copy.copy(bound)
        placed.field.value = lambda: place
    else:
        return None
    about = bound.field
    looks = (type(widget), str(widget.attrs), about.required, about.disabled, field.is_first)
    names = (bound.label, bound.help_text, bound.html_name, bound.auto_id)
    return placed, (*looks, *names, *choice)


def _place_readonly(field: Any, values: list[str]) -> tuple[Field, Looks]:
    contents = _pretty_json(field) if field.is_json else field.contents()
    if contents and contents != "None":  # The theme draws a dash for both.
        contents = mark_safe(_take_place(values, contents))  # noqa: S308 - no sign of HTML.
    placed = copy.copy(field)
    placed.contents = contents
    about = field.field
    looks = (field.is_json, about["name"], about["label"], about["help_text"], field.is_first)
    return placed, (*looks, contents)


def _pretty_json(field: Any) -> SafeString:
    """Returns the value as the theme shows it, which makes two formatters of Pygments each time."""
    column, _, value = field.resolved_field
    text = json.dumps(value, sort_keys=True, indent=4, cls=column.encoder)
    parts = [
        f'<div class="{classes}">{highlight(text, JsonLexer(), _formatter(style))}</div>'
        for classes, style in _STYLES.items()
    ]
    return mark_safe("".join(parts))  # noqa: S308 - Pygments escapes.


@cache
def _formatter(style: str) -> HtmlFormatter:
    return HtmlFormatter(
        style=style,
        noclasses=True,
        nobackground=True,
        prestyles="white-space: pre-wrap; word-wrap: break-word;",
    )


def _take_place(values: list[str], text: str) -> str:
    values.append(conditional_escape(text))
    return f"\x02{len(values) - 1}\x03"
