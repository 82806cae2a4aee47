"""Columns of values as the text of PostgreSQL's arrays.

psycopg would write each value of a list into the statement, and the server would read each as an
expression. https://www.postgresql.org/docs/18/arrays.html#ARRAYS-IO
"""

from collections.abc import Iterable


def array_of(elements: Iterable[object]) -> str:
    """Returns the array of elements that are plain (numbers, ids, true or false) or quoted."""
    return "{" + ",".join(map(str, elements)) + "}"


def quoted(text: str) -> str:
    """Returns any text as an element of an array."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
