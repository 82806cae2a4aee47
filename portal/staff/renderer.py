"""Draws form fields with the design system's macros: label, hint and error belong to the input."""

import re
from functools import cache
from typing import Any

from django import forms
from django.forms.renderers import DjangoTemplates
from django.http import HttpRequest
from django.utils import html
from django.utils.safestring import SafeString, mark_safe
from markupsafe import escape

from portal.staff.fields import Parameters, macro_call
from portal.staff.jinja import environment

MOST_DRAWN = 1_000  # Fields in memory; more begin anew, so that it stays bounded.
_PLACE = re.compile("\x02(\\d+)\x03")  # Where a typed value goes; no label has such characters.
_drawn: dict[str, str] = {}


class StaffRenderer(DjangoTemplates):
    """Draws `{{ form.name.as_field_group }}` with the macros, other templates as Django does."""

    field_template_name = "staff/field.jinja"

    def render(
        self, template_name: str, context: dict[str, Any], request: HttpRequest | None = None
    ) -> str:
        if template_name == self.field_template_name:
            name, parameters = macro_call(context["field"])
            return mark_safe(_draw(name, parameters))  # noqa: S308 - macros and `_draw` escape.
        if template_name == forms.HiddenInput.template_name:
            return _hidden_input(context["widget"])
        return super().render(template_name, context, request)


def _hidden_input(widget: dict[str, Any]) -> SafeString:
    """Returns what three templates of Django draw; a form has several of these."""
    attributes = {"type": widget["type"], "name": widget["name"]}
    if widget["value"] is not None:
        attributes["value"] = widget["value"]
    drawn = [
        f" {name}" if value is True else f' {name}="{html.escape(value)}"'
        for name, value in {**attributes, **widget["attrs"]}.items()
        if value is not False
    ]
    return mark_safe(f"<input{''.join(drawn)}>")  # noqa: S308 - it is escaped above.


def _draw(name: str, parameters: Parameters) -> str:
    """Returns the field as the macro draws it; the macro takes a millisecond.

    So a field without an error is drawn once, with places for its values, which stay out of memory.
    """
    values: list[str] = []
    open_parameters = _with_places(parameters, values)
    if "errorMessage" in parameters or any("\n" in value for value in values):
        return _call_macro(name, parameters)  # The macros indent each line of a value.
    key = f"{name} {open_parameters}"
    drawn = _drawn.get(key)
    if drawn is None:
        drawn = _call_macro(name, open_parameters)
        if len(_drawn) >= MOST_DRAWN:
            _drawn.clear()
        _drawn[key] = drawn
    return _PLACE.sub(lambda place: str(escape(values[int(place[1])])), drawn)


def _with_places(parameters: Parameters, values: list[str]) -> Parameters:
    """Returns the parameters with a place for each text typed into a box, and adds it to `values`.

    The value of a choice is the form's own and stays.
    """
    if "items" in parameters:
        is_boxes = all("inputmode" in item for item in parameters["items"])
        items = [_with_places(item, values) for item in parameters["items"]]
        return {**parameters, "items": items} if is_boxes else parameters
    if not parameters.get("value"):  # The macros leave out an empty value.
        return parameters
    values.append(parameters["value"])
    return {**parameters, "value": f"\x02{len(values) - 1}\x03"}


def _call_macro(name: str, parameters: Parameters) -> str:
    return str(_macro(name)(parameters)).strip()


@cache
def _macro(name: str) -> Any:
    return getattr(environment().get_template(StaffRenderer.field_template_name).module, name)
