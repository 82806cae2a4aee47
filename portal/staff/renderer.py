"""Draws form fields with the design system's macros: label, hint and error belong to the input."""

from functools import cache
from pathlib import Path
from typing import Any

from django.forms.renderers import DjangoTemplates
from django.http import HttpRequest
from django.utils.safestring import mark_safe
from jinja2 import ChainableUndefined, ChoiceLoader, Environment, FileSystemLoader, PackageLoader

from portal.staff.fields import macro_call


class StaffRenderer(DjangoTemplates):
    """Draws `{{ form.name.as_field_group }}` with the macros, other templates as Django does."""

    field_template_name = "staff/field.jinja"

    def render(
        self, template_name: str, context: dict[str, Any], request: HttpRequest | None = None
    ) -> str:
        if template_name != self.field_template_name:
            return super().render(template_name, context, request)
        name, parameters = macro_call(context["field"])
        html = _macro(name)(parameters).strip()
        return mark_safe(html)  # noqa: S308 - the macros escape what they are given.


@cache
def _macro(name: str) -> Any:
    return getattr(_environment().get_template(StaffRenderer.field_template_name).module, name)


@cache
def _environment() -> Environment:
    own = FileSystemLoader(Path(__file__).parent / "jinja2")
    loader = ChoiceLoader([own, PackageLoader("nhsuk_frontend_jinja")])
    return Environment(
        loader=loader,
        autoescape=True,
        undefined=ChainableUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
