"""Parts of the admin's pages that the theme's templates draw once for all pages where they look
the same.

A template of ours of the same name stands before the theme's and has a tag that calls `draw_once`.
"""

from functools import cache
from typing import Any

from django.template import Context, Engine
from django.template.base import Template

MOST_DRAWN = 1_000  # Parts in memory; more begin anew, so that it stays bounded.
_drawn: dict[tuple[Any, ...], str] = {}


def draw_once(name: str, context: Context, *looks: Any, **places: Any) -> str:
    """Returns the HTML of the theme's template; `looks` is all that it depends on.

    `places` stand for what differs, in the context; nothing that users type may be in `looks`.
    """
    key = (name, *looks)
    html = _drawn.get(key)
    if html is None:
        with context.push(**places):
            html = draw_anew(name, context)
        if len(_drawn) >= MOST_DRAWN:
            _drawn.clear()
        _drawn[key] = html
    return html


def draw_anew(name: str, context: Context) -> str:
    html: str = _theme_template(name).render(context)
    return html


@cache
def _theme_template(name: str) -> Template:
    """Returns the theme's own template of this name, which one of ours has, too."""
    engine = Engine.get_default()
    _, ours = engine.find_template(name)
    template: Template = engine.find_template(name, skip=[ours])[0]
    return template
