"""A quick look whether anybody can be the same person by the exact rule; mostly nobody can.

Where somebody can, `find_matches` compares by the rules. It answers more often than those rules
would, and never less often: the tests compare both.
"""

from collections.abc import Mapping
from typing import Any

from portal.patients.matching.lookup import MAX_PER_BIRTH_DATE
from portal.patients.matching.rules import (
    ComparedFields,
    compared_fields,
    has_exact_birth,
    person_key,
)
from portal.patients.normalize import joined_name
from portal.prepared import execute_prepared

# Characters that two spellings of one name may not share: see `normalize.joined_name`.
NOT_COMPARED = " aeال"
_LEFT_OUT = dict.fromkeys(map(ord, NOT_COMPARED))
_SAME_PERSON = f"""
    (text, date, text[]) AS
    WITH same_birth AS MATERIALIZED (
        SELECT name_key, sort_key, given_key FROM patients_patient
        WHERE date_of_birth = $2 AND status = 'active' LIMIT {MAX_PER_BIRTH_DATE + 1}
    )
    SELECT (SELECT count(*) FROM same_birth) > {MAX_PER_BIRTH_DATE} OR EXISTS (
        SELECT FROM same_birth
        WHERE name_key = $1
            OR translate(sort_key, '{NOT_COMPARED}', '') = ANY($3)
            OR translate(given_key, '{NOT_COMPARED}', '') = ANY($3)
    )
"""  # noqa: S608 - constants
_SAME_IDENTIFIER = """
    (text[], text[]) AS
    SELECT EXISTS (
        SELECT FROM unnest($1, $2) AS asked (system, value)
        JOIN patients_patientidentifier AS held USING (system, value)
    )
"""


def may_match_exactly(details: Mapping[str, Any]) -> bool:
    """Returns whether a patient may match by the exact rule or have one of the identifiers."""
    new = compared_fields(details)
    return _may_be_same_person(details, new) or _may_share_identifier(new)


def _may_be_same_person(details: Mapping[str, Any], new: ComparedFields) -> bool:
    name, born, _ = person = person_key(details)
    if not (name and has_exact_birth(person)):
        return False  # The exact rule asks for both.
    letters = [_letters(new.family, new.given), _letters(new.given, new.family)]
    if not "".join(letters).isascii():
        return True  # Python alone knows all spellings of other scripts.
    # A stored name that has the same words in both fields counts once.
    spellings = letters + [word * 2 for word in letters]
    values = [name, born, spellings]
    [[may_be]] = execute_prepared("may_be_same_person", lambda: _SAME_PERSON, values)
    return bool(may_be)


def _may_share_identifier(new: ComparedFields) -> bool:
    if not new.identifiers:
        return False
    systems, values = zip(*new.identifiers, strict=True)
    [[may_share]] = execute_prepared(
        "may_share_identifier", lambda: _SAME_IDENTIFIER, [list(systems), list(values)]
    )
    return bool(may_share)


def _letters(first: str, second: str) -> str:
    return joined_name(first, second).translate(_LEFT_OUT)
