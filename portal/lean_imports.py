"""Imports of libraries without what they load only to draw on a terminal."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any, cast


@contextmanager
def hidden(name: str) -> Iterator[None]:
    """Makes a module that is not loaded yet look as if it were not installed, for the block.

    with hidden("rich"):  # It takes 4 MB in each process.
        import structlog
    """
    modules = cast(dict[str, ModuleType | Any], sys.modules)
    if name in modules:
        yield
        return
    modules[name] = None
    try:
        yield
    finally:
        del modules[name]
