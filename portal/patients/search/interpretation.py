"""A query interpretation: one thing that a search text may mean, and the order of its patients."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple
from uuid import UUID

from portal.patients.search.conditions import Condition

# The order of names: along the index, or of an expression without an index. With the latter the
# database first finds the patients, then sorts them: right where a few are found among many.
INDEXED_ORDER = Condition("sort_key")
SORTED_ORDER = Condition("sort_key || ''")
# The columns of a FoundPatient after the first two.
NAME_COLUMNS = "sort_key, family_name, given_name, middle_name, preferred_name"
PHONE_COLUMNS = "phone_tail, second_phone_tail"
IDENTIFIERS = """
    ARRAY(
        SELECT ARRAY[system, value]::text[] FROM patients_patientidentifier
        WHERE patient_id = patients_patient.id ORDER BY system, value
    )
"""
NO_IDENTIFIERS = "NULL::text[]"


class FoundPatient(NamedTuple):
    """What the reason of a hit needs to know of a patient; the order of hits is that of `place`.

    `identifiers` are pairs of system and value, where the interpretation asks for them.
    """

    id: UUID
    place: str
    sort_key: str
    family_name: str
    given_name: str
    middle_name: str
    preferred_name: str
    phone_tail: str | None
    second_phone_tail: str | None
    identifiers: list[list[str]] | None


@dataclass(frozen=True)
class QueryInterpretation:
    """One thing that the text may mean: the patients it finds, their order, and the reason shown.

    `key` names the interpretation in cursors. A partial one finds patients who lack a typed word:
    on a page the user judges them, in a file they have no place. `is_within_next` says that the
    next interpretation finds all patients of this one, too. A narrowed one finds few.

    `is_planned_once` is for conditions that one plan serves well, whatever the values are.
    """

    key: str
    condition: Condition
    reason: Callable[[FoundPatient], str]
    order: Condition = SORTED_ORDER
    is_partial: bool = False
    needs_identifiers: bool = False
    is_narrowed: bool = False
    is_within_next: bool = False
    is_planned_once: bool = True
