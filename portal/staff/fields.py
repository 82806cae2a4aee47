"""Translates a bound Django field into a call of a design system's macro."""

from collections.abc import Callable
from typing import Any

from django import forms
from django.forms import BoundField

Parameters = dict[str, Any]

# Attributes that the macros take by name; all others go onto the input unchanged.
_NAMED_ATTRIBUTES = ("autocomplete", "autocapitalize", "inputmode", "spellcheck", "rows")


def macro_call(field: BoundField) -> tuple[str, Parameters]:
    """Returns the name of the macro that draws this field, and its parameters."""
    widget = field.field.widget
    for widget_class, translate in _TRANSLATIONS.items():
        if isinstance(widget, widget_class):
            return translate(field)
    input_type = getattr(widget, "input_type", "text")
    return "text", {**_common(field), "type": input_type, "value": _text(field)}


def _common(field: BoundField) -> Parameters:
    attributes = {**field.field.widget.attrs}
    named = {name: attributes.pop(name) for name in _NAMED_ATTRIBUTES if name in attributes}
    return {
        "id": field.auto_id,
        "name": field.html_name,
        "label": {"text": str(field.label)},
        "classes": attributes.pop("class", ""),
        "attributes": attributes,
        **named,
        **_hint_and_error(field),
    }


def _hint_and_error(field: BoundField) -> Parameters:
    parameters: Parameters = {}
    if field.help_text:
        parameters["hint"] = {"text": str(field.help_text)}
    if field.errors:
        parameters["errorMessage"] = {"text": " ".join(str(error) for error in field.errors)}
    return parameters


def _label(field: BoundField) -> str:
    return str(field.label) + ("" if field.field.required else " (optional)")


def _text(field: BoundField) -> str:
    value = field.field.widget.format_value(field.value())
    return "" if value is None else str(value)


def _password(field: BoundField) -> tuple[str, Parameters]:
    return "password", _common(field)


def _file(field: BoundField) -> tuple[str, Parameters]:
    return "file", _common(field)


def _area(field: BoundField) -> tuple[str, Parameters]:
    return "area", {**_common(field), "value": _text(field)}


def _select(field: BoundField) -> tuple[str, Parameters]:
    return "select", {**_common(field), "items": _choices(field, "selected")}


def _radios(field: BoundField) -> tuple[str, Parameters]:
    return "radios", {
        "idPrefix": field.auto_id,
        "name": field.html_name,
        "classes": field.field.widget.attrs.get("class", ""),
        "fieldset": {"legend": {"text": str(field.label), "classes": "app-legend"}},
        "items": _choices(field, "checked"),
        **_hint_and_error(field),
    }


def _checkbox(field: BoundField) -> tuple[str, Parameters]:
    item = {
        "value": "on",
        "text": str(field.label),
        "checked": bool(field.value()),
        "id": field.auto_id,
    }
    return "checkbox", {
        "idPrefix": field.auto_id,
        "name": field.html_name,
        "items": [item],
        **_hint_and_error(field),
    }


def _boxes(field: BoundField) -> tuple[str, Parameters]:
    """Draws several boxes for a value, such as day, month and year: the widget's `boxes`."""
    widget = field.field.widget
    value = field.value()
    texts = value if isinstance(value, list) else widget.decompress(value)
    error_class = " nhsuk-input--error" if field.errors else ""
    items = [
        {
            "id": f"{field.auto_id}_{box.place}",
            "name": f"{field.html_name}_{box.place}",
            "label": {"text": box.label},
            "classes": f"nhsuk-input--width-{box.width}{error_class}",
            "inputmode": "text",
            "autocomplete": "off",
            "value": "" if texts[box.place] is None else str(texts[box.place]),
        }
        for box in widget.boxes
    ]
    return "boxes", {
        "id": field.auto_id,
        "fieldset": {"legend": {"text": str(field.label), "classes": "app-legend"}},
        "items": items,
        "attributes": {"data-date-boxes": widget.order},
        **_hint_and_error(field),
    }


def _choices(field: BoundField, chosen_key: str) -> list[Parameters]:
    chosen = "" if field.value() is None else str(field.value())
    options = field.field.widget.choices
    return [
        {"value": str(value), "text": str(text), chosen_key: str(value) == chosen}
        for value, text in options
    ]


_TRANSLATIONS: dict[type[forms.Widget], Callable[[BoundField], tuple[str, Parameters]]] = {
    forms.MultiWidget: _boxes,
    forms.PasswordInput: _password,
    forms.FileInput: _file,
    forms.Textarea: _area,
    forms.RadioSelect: _radios,
    forms.Select: _select,
    forms.CheckboxInput: _checkbox,
}
