"""The rows of the admin's lists: what is the same in each row is worked out once a list.

The theme asks Django for label, address and way of showing at each of up to 800 cells, which took
most of a list's time. The HTML is the theme's own. Columns that are edited in the list, moved by
hand or drawn as labels are not known here; no list of ours has them.
"""

from collections.abc import Callable
from html import escape
from itertools import cycle
from typing import Any, NamedTuple
from urllib.parse import quote as quote_url

from django import template
from django.contrib.admin.templatetags.admin_list import (  # type: ignore[attr-defined]
    _coerce_field_name,  # Not in the stubs.
)
from django.contrib.admin.templatetags.admin_urls import add_preserved_filters
from django.contrib.admin.utils import (  # type: ignore[attr-defined]
    _get_non_gfk_field,  # Not in the stubs.
    quote,
)
from django.contrib.admin.views.main import ChangeList
from django.core.exceptions import FieldDoesNotExist
from django.db import models
from django.utils.http import RFC3986_SUBDELIMS
from django.utils.safestring import SafeString, mark_safe
from unfold.templatetags.unfold_list import (
    CHECKBOX_CLASSES,
    LINK_CLASSES,
    ROW_CLASSES,
    result_headers,
)
from unfold.utils import display_for_field, display_for_value

register = template.Library()

_CHECKBOX = "action_checkbox"
_PLACE = "place-of-the-key"  # Stands for the key of a row, in what is drawn once.
_ROW_START = (
    '<tbody class="block relative lg:table-row-group {}" x-data="{{rowOpen: false}}">'
    '<tr class="data-row block border border-base-200 mb-3 relative rounded-default'
    ' lg:table-row lg:border-none lg:mb-0 lg:rounded-none dark:border-base-800">'
)
_LINK_CLASSES = " ".join(LINK_CLASSES)
_SHADES = ("", "bg-base-50 dark:bg-white/[.02]")

Show = Callable[[Any], Any]  # From a row to what its cell shows.


class Column(NamedTuple):
    """How each cell of a column is drawn, and whether it links to the row's own page."""

    show: Show
    start: str
    end: str
    is_link: bool


@register.inclusion_tag("staff/admin_results.html")
def admin_results(cl: ChangeList) -> dict[str, Any]:
    """Draws the list: its headers, which are the theme's, and its rows."""
    headers = list(result_headers(cl))
    return {
        "cl": cl,
        "result_headers": headers,
        "num_sorted_fields": sum(bool(header.get("sorted")) for header in headers),
        "rows": _rows(cl, headers) if len(cl.result_list) else "",
    }


def _rows(cl: ChangeList, headers: list[dict[str, Any]]) -> SafeString:
    columns = [_column(cl, index, headers[index]["text"]) for index in range(len(headers))]
    before, after = _address_around_key(cl)
    parts: list[str] = []
    for row, shade in zip(cl.result_list, cycle(_SHADES), strict=False):
        parts.append(_ROW_START.format(shade))
        for column in columns:
            content = _html(column.show(row))
            if column.is_link:
                address = f"{before}{escape(_key_in_address(row))}{after}"
                content = f'<a href="{address}" class="{_LINK_CLASSES}" >{content}</a>'
            parts += (column.start, content, column.end)
        parts.append("</tr></tbody>")
    return mark_safe("".join(parts))  # noqa: S308 - `_html` escapes what rows hold.


def _html(value: Any) -> str:
    return value.__html__() if hasattr(value, "__html__") else escape(str(value))


def _address_around_key(cl: ChangeList) -> tuple[str, str]:
    """Returns the address of a row's page, before and after its key, escaped for an attribute."""
    any_row = cl.model(pk=_PLACE)
    context: Any = {"preserved_filters": cl.preserved_filters, "opts": cl.opts}
    before, _, after = add_preserved_filters(context, cl.url_for_result(any_row)).partition(_PLACE)
    return escape(before), escape(after)


def _key_in_address(row: Any) -> str:
    return quote_url(quote(str(row.pk)), safe=RFC3986_SUBDELIMS + "/~:@")  # As `reverse` does.


def _column(cl: ChangeList, index: int, label: str) -> Column:
    name, links = cl.list_display[index], cl.list_display_links or ()
    is_link = name in links
    is_first_link = is_link and not any(before in links for before in cl.list_display[:index])
    tag = "th" if is_first_link else "td"
    field = _field(cl, name)
    classes = [f"field-{_coerce_field_name(name, index)}", *ROW_CLASSES]
    if name == _CHECKBOX:
        classes = CHECKBOX_CLASSES
    elif isinstance(field, models.DateField | models.TimeField | models.ForeignKey):
        classes = [*classes, "nowrap"]
    if index == 0 and not is_link:
        label = "Select record"
    start = f'<{tag} class="{" ".join(classes)}" data-label="{_html(label)}">'
    return Column(_show(cl, name, field), start, f"</{tag}>", is_link)


def _field(cl: ChangeList, name: Any) -> Any:
    """Returns the model's field of this name; None for what the admin or the model works out."""
    try:
        field = _get_non_gfk_field(cl.lookup_opts, name)
    except (FieldDoesNotExist, AttributeError, TypeError):
        return None
    return None if field.auto_created else field


def _show(cl: ChangeList, name: Any, field: Any) -> Show:
    empty = cl.model_admin.get_empty_value_display()
    if name == _CHECKBOX:
        return _checkbox(cl)
    if field is None:
        return _worked_out(cl, name, empty)
    if isinstance(field, models.ForeignKey):
        return lambda row: empty if (value := getattr(row, field.name)) is None else value
    if field.flatchoices:
        labels = dict(field.flatchoices)
        return lambda row: labels.get(getattr(row, field.attname), empty)
    if isinstance(field, models.CharField | models.TextField):
        return lambda row: getattr(row, field.attname) or empty
    return _remember(lambda value: display_for_field(value, field, empty), field.attname)


def _checkbox(cl: ChangeList) -> Show:
    before, _, after = str(cl.model_admin.action_checkbox(cl.model(pk=_PLACE))).partition(_PLACE)
    return lambda row: mark_safe(f"{before}{escape(str(row.pk))}{after}")  # noqa: S308 - escaped.


def _worked_out(cl: ChangeList, name: Any, empty: str) -> Show:
    """Returns what shows a function of the row, a method of the admin, or one of the model."""
    function = name if callable(name) else getattr(cl.model_admin, name, None)
    if function is None:
        return lambda row: display_for_value(_read(row, name), empty)
    empty = getattr(function, "empty_value_display", empty)
    is_boolean = getattr(function, "boolean", False)
    return lambda row: display_for_value(function(row), empty, is_boolean)


def _read(row: Any, name: str) -> Any:
    value = getattr(row, name)
    return value() if callable(value) else value


def _remember(display: Callable[[Any], Any], attribute: str) -> Show:
    """Returns what shows the field; equal values of a list, such as yes and no, are drawn once."""
    shown: dict[Any, Any] = {}

    def show(row: Any) -> Any:
        value = getattr(row, attribute)
        try:
            return shown[value]
        except KeyError:
            return shown.setdefault(value, display(value))
        except TypeError:  # A list or an object of JSON.
            return display(value)

    return show
