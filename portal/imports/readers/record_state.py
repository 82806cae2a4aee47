"""Reads from columns of words whether a person has died, and whether the record is in use.

The rules are those of FHIR: the portal has no place for a death without a day, so such a row is
held back, and a record that its source does not use comes in archived.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from portal.imports.readers.columns import ACTIVE, DECEASED, STATUS
from portal.imports.readers.rows import NO_DAY_OF_DEATH, Problem
from portal.imports.readers.values import value_key

_YES = frozenset({"yes", "y", "true", "t", "1", "ja", "oui", "si", "sí", "sim", "tak"})
_NO = frozenset({"no", "n", "false", "f", "0", "nein", "non", "nee", "nej", "não", "nie"})
_DEAD = frozenset({"deceased", "dead", "died", "expired", "death"})
_ALIVE = frozenset({"alive", "living", "live", "not deceased"})
_IN_USE = frozenset({"active", "current", "open", "enabled"})
_NOT_IN_USE = frozenset(
    {"inactive", "not active", "archived", "closed", "disabled", "retired", "deleted", "former"}
)
_REPLACED = frozenset({"merged", "replaced", "duplicate", "superseded"})

_DIED_AND_LIVES = "This column says that the person lives, and another has a day of death."
_NO_ANSWER = "Write yes or no: this may be someone who has died, or a record that is not used."
_REPLACED_REASON = "Another record has replaced this one at its source. Import the other record."
_NO_PLACE = "Left out, since the portal has no such status."


@dataclass
class RecordState:
    """What the words of a row say. A day of death may stand in the place of a yes."""

    is_archived: bool = False
    died_on: str = ""
    problems: list[Problem] = field(default_factory=list)
    left_out: list[Problem] = field(default_factory=list)


def read_state(
    texts: Mapping[str, str], names: Mapping[str, str], *, died_on: str = ""
) -> RecordState:
    """Returns what the texts of a row say of its state; `names` are the columns' names."""
    state = RecordState()
    for field_name, read in _READERS.items():
        if text := texts.get(field_name):
            reason = read(state, text, died_on)
            if reason:
                problems = state.left_out if reason == _NO_PLACE else state.problems
                problems.append(Problem(names[field_name], text, reason))
    return state


def _read_deceased(state: RecordState, text: str, died_on: str) -> str:
    key = value_key(text)
    if key in _NO or key in _ALIVE:
        return _DIED_AND_LIVES if died_on else ""
    if key in _YES or key in _DEAD:
        return "" if died_on else NO_DAY_OF_DEATH
    if any(character.isdigit() for character in key):
        state.died_on = text  # A day of death, which the check of the row reads.
        return ""
    return _NO_ANSWER


def _read_active(state: RecordState, text: str, _died_on: str) -> str:
    key = value_key(text)
    state.is_archived |= key in _NO or key in _NOT_IN_USE
    is_known = state.is_archived or key in _YES or key in _IN_USE
    return "" if is_known else _NO_ANSWER


def _read_status(state: RecordState, text: str, died_on: str) -> str:
    key = value_key(text)
    state.is_archived |= key in _NOT_IN_USE
    if key in _REPLACED:
        return _REPLACED_REASON
    if key in _DEAD:
        return "" if died_on else NO_DAY_OF_DEATH
    is_known = key in _NOT_IN_USE or key in _IN_USE or key in _ALIVE
    return "" if is_known else _NO_PLACE


_READERS = {DECEASED: _read_deceased, ACTIVE: _read_active, STATUS: _read_status}
