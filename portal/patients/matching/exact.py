"""A quick look whether anybody can be the same person by the exact rule; mostly nobody can.

Where somebody can, `find_matches` compares by the rules. It answers more often than those rules
would, and never less often: the tests compare both.
"""

from collections.abc import Mapping
from typing import Any

from portal.patients.matching.lookup import MAX_PER_BIRTH_DATE
from portal.patients.matching.rules import has_exact_birth, identifier_keys, person_key
from portal.patients.normalize import fold, joined_name
from portal.prepared import execute_prepared

# Characters that two spellings of one name may not share: see `normalize.joined_name`.
NOT_COMPARED = " aeال"
_LEFT_OUT = dict.fromkeys(map(ord, NOT_COMPARED))
# Of the values of `exact_look`, in their order.
LOOK_TYPES = ("text", "date", "text[]", "text[]", "text[]")


def may_match_sql(name: str, born: str, spellings: str, systems: str, values: str) -> str:
    """Returns a query that is true where a patient may match by the exact rule, or has one of the
    identifiers. It takes SQL expressions of what `exact_look` gives.
    """
    return f"""
        SELECT count(*) > {MAX_PER_BIRTH_DATE}
            OR coalesce(bool_or(
                name_key = {name}
                OR translate(sort_key, '{NOT_COMPARED}', '') = ANY({spellings})
                OR translate(given_key, '{NOT_COMPARED}', '') = ANY({spellings})
            ), false)
            OR EXISTS (
                SELECT FROM unnest({systems}, {values}) AS asked (system, value)
                JOIN patients_patientidentifier AS held USING (system, value)
            )
        FROM (
            SELECT name_key, sort_key, given_key FROM patients_patient
            WHERE date_of_birth = {born} AND status = 'active' LIMIT {MAX_PER_BIRTH_DATE + 1}
        ) AS same_birth
    """  # noqa: S608 - constants


MAY_MATCH = may_match_sql("$1", "$2", "$3", "$4", "$5")


def may_match_exactly(details: Mapping[str, Any]) -> bool:
    """Returns whether a patient may match by the exact rule or have one of the identifiers."""
    look = exact_look(details)
    if look is None:
        return True
    [[may_match]] = execute_prepared("may_match", _statement, look)
    return bool(may_match)


def exact_look(details: Mapping[str, Any]) -> list[Any] | None:
    """Returns the values that MAY_MATCH compares; None where the rules alone can tell."""
    family, given = fold(details.get("family_name") or ""), fold(details.get("given_name") or "")
    name, born, _ = person = person_key(details)
    systems, values = _identifiers_of(details)
    if not (name and has_exact_birth(person)):
        return ["", None, [], systems, values]  # The exact rule asks for both.
    letters = [_letters(family, given), _letters(given, family)]
    if not "".join(letters).isascii():
        return None  # Python alone knows all spellings of other scripts.
    # A stored name that has the same words in both fields counts once.
    spellings = letters + [word * 2 for word in letters]
    return [name, born, spellings, systems, values]


def _identifiers_of(details: Mapping[str, Any]) -> tuple[list[str], list[str]]:
    keys = list(identifier_keys(details))
    return [system for system, _ in keys], [value for _, value in keys]


def _letters(first: str, second: str) -> str:
    return joined_name(first, second).translate(_LEFT_OUT)


def _statement() -> str:
    return f"({', '.join(LOOK_TYPES)}) AS {MAY_MATCH}"
