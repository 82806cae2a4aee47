"""Columns of values as the text of PostgreSQL's arrays.

The driver would write each value into the statement by itself, and the server would read each as an
expression: together that takes longer than all the rest of counting.
https://www.postgresql.org/docs/18/arrays.html#ARRAYS-IO
"""

from collections.abc import Iterable, Sequence
from functools import lru_cache

from analytics_stream.folding import State

WORDS = 10_000  # Different texts, such as regions, that are kept quoted.


def array_of(elements: Iterable[str]) -> str:
    """Returns the array of elements that are plain (numbers, ids, times) or quoted."""
    return "{" + ",".join(elements) + "}"


@lru_cache(WORDS)
def quoted(word: str) -> str:
    """Returns any text as an element of an array."""
    return '"' + word.replace("\\", "\\\\").replace('"', '\\"') + '"'


def state_columns(states: Sequence[State]) -> dict[str, str]:
    """Returns an array for each field of these states, by its name."""
    return {
        "patient_id": array_of(state.patient_id for state in states),
        "version": array_of(str(state.version) for state in states),
        "event_id": array_of(str(state.event_id) for state in states),
        "status": array_of(state.status for state in states),
        "sex": array_of(state.sex for state in states),
        "birth_year": array_of(str(state.birth_year) for state in states),
        "region": array_of(quoted(state.region) for state in states),
        "registered_on": array_of(
            state.registered_on.isoformat() if state.registered_on else "NULL" for state in states
        ),
        "registered_through": array_of(quoted(state.registered_through) for state in states),
        "registered_at": array_of(
            state.registered_at.isoformat() if state.registered_at else "NULL" for state in states
        ),
    }
