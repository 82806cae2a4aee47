"""Jinja for what pages draw often: it is compiled, and takes a tenth of the time of Django's.

Pages stay templates of Django. A table's rows are a template in a folder `jinja2`, drawn by the tag
`{% draw "billing/rows.jinja" %}`, with the page's context and the filters of our own libraries.
"""

from contextlib import suppress
from functools import cache
from hashlib import blake2b
from pathlib import Path
from uuid import UUID

import jinja2
from django.conf import settings
from django.template import Engine
from django.template.defaultfilters import capfirst, title, urlencode
from django.template.utils import get_app_template_dirs
from django.templatetags.static import static
from django.urls import reverse
from jinja2 import (
    ChainableUndefined,
    ChoiceLoader,
    Environment,
    FileSystemBytecodeCache,
    FileSystemLoader,
    PackageLoader,
)
from jinja2.bccache import Bucket

OUR_LIBRARIES = ("staff", "patients")


class CompiledTemplates(FileSystemBytecodeCache):
    """Keeps compiled templates beside Python's own compiled files, where those may be written.

    To compile the macros takes a process's first form a quarter of a second.
    """

    FOLDER = Path(__file__).parent / "__pycache__" / "jinja"

    def __init__(self) -> None:
        # A template is compiled for a version of Jinja and for the options and filters below.
        about = blake2b(jinja2.__version__.encode() + Path(__file__).read_bytes(), digest_size=8)
        super().__init__(str(self.FOLDER), f"{about.hexdigest()}.%s.cache")
        with suppress(OSError):
            self.FOLDER.mkdir(parents=True, exist_ok=True)

    def load_bytecode(self, bucket: Bucket) -> None:
        with suppress(OSError):
            super().load_bytecode(bucket)

    def dump_bytecode(self, bucket: Bucket) -> None:
        with suppress(OSError):  # No room, or the code belongs to another account.
            super().dump_bytecode(bucket)


def compile_templates() -> None:
    """Compiles all templates, while an image is built: its code cannot be written later."""
    for name in environment().list_templates(extensions=["jinja"]):
        environment().get_template(name)


@cache
def environment() -> Environment:
    """Returns what draws our templates, and the macros of the design system."""
    own = FileSystemLoader([*get_app_template_dirs("jinja2")])
    drawing = Environment(
        loader=ChoiceLoader([own, PackageLoader("nhsuk_frontend_jinja")]),
        autoescape=True,
        undefined=ChainableUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=settings.DEBUG,
        bytecode_cache=CompiledTemplates(),
    )
    libraries = Engine.get_default().template_libraries
    for name in OUR_LIBRARIES:
        drawing.filters.update(libraries[name].filters)
    drawing.filters.update(capfirst=capfirst, title=title, urlencode=urlencode)
    drawing.globals.update(url=address_of, static=static)
    return drawing


def address_of(name: str, *keys: UUID | int) -> str:
    """Returns the address of a page of rows with these keys, as `reverse` does."""
    address, marks = _address_around(name, tuple(type(key) for key in keys))
    for mark, key in zip(marks, keys, strict=True):
        address = address.replace(mark, str(key))
    return address


@cache
def _address_around(name: str, kinds: tuple[type, ...]) -> tuple[str, list[str]]:
    """Returns an address with marks in the places of the keys, and the marks."""
    keys = [UUID(int=at) if kind is UUID else 987_654_321 - at for at, kind in enumerate(kinds)]
    return reverse(name, args=keys), [str(key) for key in keys]
