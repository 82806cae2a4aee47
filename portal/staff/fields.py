"""A bound Django field in the words of the design system's macros."""

from typing import Any

from django import forms
from django.forms import BoundField

Parameters = dict[str, Any]

# Attributes that the macros take by name; the rest goes onto the input as it is.
_BY_NAME = ("autocomplete", "autocapitalize", "inputmode", "spellcheck", "rows")


def macro_call(field: BoundField) -> tuple[str, Parameters]:
    """The macro that draws this field, and what it is told."""
    widget = field.field.widget
    draw = next((draw for kind, draw in _KINDS.items() if isinstance(widget, kind)), None)
    if draw:
        return draw(field)
    return "text", {
        **_common(field),
        "type": getattr(widget, "input_type", "text"),
        "value": _text(field),
    }


def _common(field: BoundField) -> Parameters:
    attributes = {**field.field.widget.attrs}
    named = {name: attributes.pop(name) for name in _BY_NAME if name in attributes}
    return {
        "id": field.auto_id,
        "name": field.html_name,
        "label": {"text": str(field.label)},
        "classes": attributes.pop("class", ""),
        "attributes": attributes,
        **named,
        **_beside(field),
    }


def _beside(field: BoundField) -> Parameters:
    said: Parameters = {}
    if field.help_text:
        said["hint"] = {"text": str(field.help_text)}
    if field.errors:
        said["errorMessage"] = {"text": " ".join(str(error) for error in field.errors)}
    return said


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
        **_beside(field),
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
        **_beside(field),
    }


def _boxes(field: BoundField) -> tuple[str, Parameters]:
    """Several boxes for one value, such as day, month and year; the widget names them in `boxes`."""
    widget = field.field.widget
    value = field.value()
    texts = value if isinstance(value, list) else widget.decompress(value)
    items = [
        {
            "id": f"{field.auto_id}_{index}",
            "name": f"{field.html_name}_{index}",
            "label": {"text": box.label},
            "classes": f"nhsuk-input--width-{box.width}"
            + (" nhsuk-input--error" if field.errors else ""),
            "inputmode": "text",
            "autocomplete": "off",
            "value": "" if text is None else str(text),
        }
        for index, (box, text) in enumerate(zip(widget.boxes, texts, strict=True))
    ]
    legend = {"text": str(field.label), "classes": "app-legend"}
    attributes = {"data-date-boxes": True}
    return "boxes", {
        "id": field.auto_id,
        "fieldset": {"legend": legend},
        "items": items,
        "attributes": attributes,
        **_beside(field),
    }


def _choices(field: BoundField, mark: str) -> list[Parameters]:
    chosen = "" if field.value() is None else str(field.value())
    options = field.field.widget.choices
    return [
        {"value": str(value), "text": str(text), mark: str(value) == chosen}
        for value, text in options
    ]


_KINDS = {
    forms.MultiWidget: _boxes,
    forms.PasswordInput: _password,
    forms.FileInput: _file,
    forms.Textarea: _area,
    forms.RadioSelect: _radios,
    forms.Select: _select,
    forms.CheckboxInput: _checkbox,
}
