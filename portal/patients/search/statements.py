"""The statements that read exact hits: several interpretations in one, where that is cheaper.

Planning a statement takes PostgreSQL longer than running it, as an interpretation is one short walk
along an index. Names that a date or number narrows are few: one statement reads all of them.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from functools import cache, lru_cache
from hashlib import blake2b
from itertools import count, groupby
from typing import Any
from uuid import UUID

from portal.patients.models import Patient, Status
from portal.patients.search import tuning
from portal.patients.search.conditions import (
    Condition,
    any_of,
    condition_of,
    is_none_of,
    read_rows,
)
from portal.patients.search.interpretation import (
    IDENTIFIERS,
    NAME_COLUMNS,
    NO_IDENTIFIERS,
    PHONE_COLUMNS,
    FoundPatient,
    QueryInterpretation,
)
from portal.patients.search.moment import Snapshot
from portal.prepared import Call, execute_prepared

Found = tuple[FoundPatient, QueryInterpretation]
Shape = tuple[tuple[str, str, bool], ...]  # Order, condition, and whether identifiers are needed.
Reader = Callable[[str, Sequence[Any]], list[tuple[Any, ...]]]

_ONE = """
    SELECT id, {place} AS place, {columns} FROM patients_patient WHERE {found}
    ORDER BY place, id LIMIT %s
"""
# All patients of several interpretations, each with the number of the first that finds them.
_RANKED = """
    SELECT rank, id, CASE rank {places} END AS place, {columns}
    FROM (
        SELECT *, CASE {ranks} END AS rank FROM patients_patient WHERE {found}
    ) AS patients_patient
    ORDER BY rank, place, id LIMIT %s
"""
# One interpretation after the other, until the page is full: PostgreSQL reads the parts of UNION
# ALL in turn, and the later ones only while LIMIT asks for more. Each row has the rows of the log
# that the statement sees of those who wrote since a moment: see Snapshot.
_IN_TURN = """
    WITH {rungs}
    SELECT *, ARRAY(
        SELECT pgh_id FROM patients_patientevent WHERE pgh_created_at >= %s LIMIT {most_events}
    ) FROM rung_{last} LIMIT %s
"""
_RUNG = """
    rung_{at} AS (
        {earlier}
        (SELECT {at} AS rank, id, {place} AS place, {columns} FROM patients_patient
        WHERE status = '{active}' AND {condition} AND id <> ALL(%s::uuid[]) {is_new}
        ORDER BY place, id LIMIT {most})
    )
"""
_EARLIER = "SELECT * FROM rung_{before} UNION ALL"
_IS_NEW = "AND id <> ALL(ARRAY(SELECT id FROM rung_{before}))"

_prepared_texts: set[str] = set()  # Of all connections: their number bounds what each remembers.


def read_planned(statement: str, values: Sequence[Any]) -> list[tuple[Any, ...]]:
    """Returns the rows of a statement that is planned once for all values.

    The number of the texts of such statements is bounded: those beyond are planned each time.
    """
    call = planned_call(statement, values)
    if call is None:
        return read_rows(statement, values)
    return execute_prepared(*call, is_planned_once=True)


def planned_call(statement: str, values: Sequence[Any]) -> Call | None:
    """Returns the call of such a statement; None beyond their number."""
    if len(_prepared_texts) < tuning.SEARCH.max_prepared:
        _prepared_texts.add(statement)
    if statement not in _prepared_texts:
        return None
    return Call(_name_of(statement), lambda: f"AS {_with_numbers(statement)}", values)


@lru_cache(maxsize=tuning.SEARCH.max_prepared)
def _name_of(statement: str) -> str:
    return f"search_{blake2b(statement.encode(), digest_size=8).hexdigest()}"


def reader_of(patients: Condition) -> Reader:
    """Returns how to read these patients by a statement that needs not know the values of a text.

    Few are archived: another plan suits them better.
    """
    return read_planned if patients == active_patients() else read_rows


def read_together(
    patients: Condition, interpretations: Sequence[QueryInterpretation]
) -> Iterator[list[QueryInterpretation]]:
    """Yields the interpretations in groups, in their order: `read_group` reads each at once."""
    is_planned_once = patients == active_patients()
    alone = count()

    def group_of(interpretation: QueryInterpretation) -> object:
        if interpretation.is_narrowed:
            return "narrowed"
        return "in turn" if is_planned_once and interpretation.is_planned_once else next(alone)

    for _, group in groupby(interpretations, key=group_of):
        yield [*group]


def is_one_statement(patients: Condition, interpretations: Sequence[QueryInterpretation]) -> bool:
    """Returns whether one statement reads them all, and which changes it saw."""
    groups = [*read_together(patients, interpretations)]
    return len(groups) == 1 and _is_read_in_turn(patients, groups[0])


def _is_read_in_turn(patients: Condition, group: Sequence[QueryInterpretation]) -> bool:
    first = group[0]
    return first.is_planned_once and not first.is_narrowed and patients == active_patients()


def read_group(
    patients: Condition,
    group: Sequence[QueryInterpretation],
    seen: Sequence[UUID],
    limit: int,
    snapshot: Snapshot | None = None,
) -> list[Found]:
    """Returns at most `limit` patients of a group of `read_together`, without those in `seen`.

    They come in the order of the interpretations, under the first that finds them.
    """
    if _is_read_in_turn(patients, group):
        return _read_in_turn(group, seen, limit, snapshot)
    if group[0].is_narrowed and len(group) > 1:
        return _read_ranked(patients & is_none_of(seen), group, limit)
    return [
        (patient, interpretation)
        for interpretation in group
        for patient in read_one(patients & is_none_of(seen), interpretation, limit)
    ]


@cache
def active_patients() -> Condition:
    """Returns the condition of the list as everybody sees it first, which is searched most."""
    return condition_of(Patient.objects.filter(status=Status.ACTIVE))


def read_one(
    patients: Condition, interpretation: QueryInterpretation, limit: int
) -> list[FoundPatient]:
    """Returns the first patients of one interpretation."""
    found, order = patients & interpretation.condition, interpretation.order
    statement = _ONE.format(
        place=order.sql,
        columns=_columns(needs_identifiers=interpretation.needs_identifiers),
        found=found.sql,
    )
    rows = read_rows(statement, [*order.values, *found.values, limit])
    return [FoundPatient(*row) for row in rows]


def _read_ranked(
    patients: Condition, group: Sequence[QueryInterpretation], limit: int
) -> list[Found]:
    found = patients & any_of(
        interpretation.condition for interpretation in group if not interpretation.is_within_next
    )
    orders = [interpretation.order for interpretation in group]
    conditions = [interpretation.condition for interpretation in group]
    statement = _RANKED.format(
        places=" ".join(f"WHEN {at} THEN {order.sql}" for at, order in enumerate(orders)),
        columns=_columns(needs_identifiers=_need_identifiers(group)),
        ranks=" ".join(f"WHEN {each.sql} THEN {at}" for at, each in enumerate(conditions)),
        found=found.sql,
    )
    values = [value for part in [*orders, *conditions, found] for value in part.values]
    return with_interpretations(read_rows(statement, [*values, limit]), group)


def _read_in_turn(
    group: Sequence[QueryInterpretation],
    seen: Sequence[UUID],
    limit: int,
    snapshot: Snapshot | None,
) -> list[Found]:
    """Reads active patients by a statement that is planned once for all texts of this shape."""
    statement = _in_turn(shape_of(group), size_for(limit))
    since = snapshot.since if snapshot else None
    rows = read_planned(statement, [*rung_values(group, seen), since, limit])
    if rows and snapshot:
        snapshot.seen_events = rows[0][-1]
    return with_interpretations([row[:-1] for row in rows], group)


def size_for(limit: int) -> int:
    """Returns how many patients a statement reads at most, one of few sizes."""
    return next((size for size in tuning.SEARCH.page_sizes if size >= limit), limit)


def shape_of(group: Sequence[QueryInterpretation]) -> Shape:
    """Returns what of these interpretations is not a value of the text."""
    return tuple((whole.order.sql, whole.condition.sql, whole.needs_identifiers) for whole in group)


def rung_values(group: Sequence[QueryInterpretation], seen: Sequence[UUID]) -> list[Any]:
    """Returns the values of the rungs of a group."""
    return [
        value
        for whole in group
        for value in (*whole.order.values, *whole.condition.values, [*seen])
    ]


@lru_cache(maxsize=tuning.SEARCH.max_prepared)
def _in_turn(shape: Shape, size: int) -> str:
    return _IN_TURN.format(
        rungs=rungs_sql(shape, size), last=len(shape) - 1, most_events=tuning.SEARCH.max_seen + 1
    )


def rungs_sql(shape: Shape, size: int) -> str:
    """Returns the rungs for `WITH`; the last of them, from 0, has the patients of all."""
    rungs = [
        _RUNG.format(
            at=at,
            earlier=_EARLIER.format(before=at - 1) if at else "",
            place=order,
            columns=_columns(needs_identifiers=needs_identifiers),
            active=Status.ACTIVE.value,
            condition=condition,
            is_new=_IS_NEW.format(before=at - 1) if at else "",
            most=size,
        )
        for at, (order, condition, needs_identifiers) in enumerate(shape)
    ]
    return ", ".join(rungs)


def _with_numbers(statement: str) -> str:
    """Returns the statement with `$1`, `$2` for the values, as PREPARE has them."""
    numbers = count(1)
    return re.sub("%s", lambda _: f"${next(numbers)}", statement)


def _need_identifiers(group: Sequence[QueryInterpretation]) -> bool:
    return any(interpretation.needs_identifiers for interpretation in group)


def _columns(*, needs_identifiers: bool) -> str:
    identifiers = IDENTIFIERS if needs_identifiers else NO_IDENTIFIERS
    return f"{NAME_COLUMNS}, {PHONE_COLUMNS}, {identifiers}"


def with_interpretations(
    rows: Sequence[tuple], group: Sequence[QueryInterpretation]
) -> list[Found]:
    """Returns the patients of rows, each behind the number of an interpretation, with that."""
    return [(FoundPatient(*row[1:]), group[row[0]]) for row in rows]
