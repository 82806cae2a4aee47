"""Compares the clients' answers with the event log: every change is there once, and no other."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime

from tests.fault.history import MARK, NO_PROBLEM, Operation, Outcome
from tests.fault.stores import LogRow, Stores

STATUS_KINDS = {"archive": "archived", "restore": "active"}
CLOCK_SECONDS = 1.0  # between the begin of a transaction, in the log, and the answer to the client


def no_acknowledged_change_is_lost(history: Sequence[Operation], stores: Stores) -> Iterator[str]:
    """Checks that every successful change is in the log."""
    effects = effects_of(stores.log)
    for operation in _marked(history):
        if operation.outcome is Outcome.OK and not effects[operation.mark]:
            yield f"{_name(operation)} was acknowledged and is not in the log"
    for operation in _of_status(history):
        if operation.outcome is Outcome.OK and not _took_effect(operation, stores):
            yield f"{_name(operation)} was acknowledged and is not in the log"


def no_change_has_two_effects(history: Sequence[Operation], stores: Stores) -> Iterator[str]:
    """Checks that no change is in the log twice, and none that no client asked for."""
    effects = effects_of(stores.log)
    for operation in _marked(history):
        if len(effects[operation.mark]) > 1:
            yield f"{_name(operation)} is in the log {len(effects[operation.mark])} times"
    changes = Counter(row.request_id for row in status_changes(stores.log))
    for operation in _of_status(history):
        if changes[operation.request_id] > 1:
            yield f"{_name(operation)} is in the log {changes[operation.request_id]} times"
    known = {operation.mark for operation in history}
    yield from (
        f"{mark} is in the log, and no client asked for it" for mark in effects if mark not in known
    )


def no_refused_change_has_an_effect(history: Sequence[Operation], stores: Stores) -> Iterator[str]:
    """Checks that a refused, rolled back or never sent change is not in the log."""
    effects, changes = (
        effects_of(stores.log),
        {row.request_id for row in status_changes(stores.log)},
    )
    for operation in history:
        if operation.outcome is Outcome.FAILED and (
            effects[operation.mark] or operation.request_id in changes
        ):
            yield f"{_name(operation)} was refused and is in the log"


def no_update_is_lost(history: Sequence[Operation], stores: Stores) -> Iterator[str]:
    """Checks that a change with `If-Match` follows its version, and each answer its effect."""
    effects = effects_of(stores.log)
    for operation in _marked(history):
        for row in effects[operation.mark]:
            expected = operation.expected_version
            if expected is not None and row.version != expected + 1:
                yield f"{_name(operation)} expected {expected} and made version {row.version}"
            if (
                operation.outcome is Outcome.OK
                and operation.version is not None
                and operation.version < row.version
            ):
                answered = operation.version
                yield f"{_name(operation)} answered {answered} and made version {row.version}"


def each_key_makes_one_patient(history: Sequence[Operation], stores: Stores) -> Iterator[str]:
    """Checks that a repeated registration answers the same patient."""
    made = {mark: {row.patient for row in found} for mark, found in effects_of(stores.log).items()}
    for operation in history:
        is_answered = operation.kind == "register" and operation.outcome is Outcome.OK
        if is_answered and made.get(operation.mark, set()) - {operation.patient}:
            yield f"{_name(operation)} answered {operation.patient}, the log has another"


def errors_say_what_to_do(history: Sequence[Operation], _: Stores) -> Iterator[str]:
    """Checks that every error of the API is a problem document."""
    yield from (
        f"{_name(operation)} got {NO_PROBLEM}"
        for operation in history
        if NO_PROBLEM in operation.errors
    )


def effects_of(log: Iterable[LogRow]) -> dict[str, list[LogRow]]:
    """Returns by mark the rows of the log that changed the patient's mark to it."""
    effects, before = defaultdict[str, list[LogRow]](list), defaultdict[str, str](str)
    for row in log:
        if row.mark.startswith(MARK) and row.mark != before[row.patient]:
            effects[row.mark].append(row)
        before[row.patient] = row.mark
    return effects


def status_changes(log: Iterable[LogRow]) -> list[LogRow]:
    """Returns the rows of the log in which a patient's status changes."""
    found, before = [], dict[str, str]()
    for row in log:
        if before.get(row.patient, row.status) != row.status:
            found.append(row)
        before[row.patient] = row.status
    return found


def _marked(history: Sequence[Operation]) -> list[Operation]:
    return [operation for operation in history if operation.kind not in STATUS_KINDS]


def _of_status(history: Sequence[Operation]) -> list[Operation]:
    return [operation for operation in history if operation.kind in STATUS_KINDS]


def _took_effect(operation: Operation, stores: Stores) -> bool:
    """Tells whether the patient had the wanted status at a moment of the request."""
    wanted = STATUS_KINDS[operation.kind]
    own = [row for row in stores.log if row.patient == operation.patient]
    if any(row.request_id == operation.request_id and row.status == wanted for row in own):
        return True
    ends = [row.created_at for row in own[1:]] + [datetime.max.replace(tzinfo=UTC)]
    return any(
        row.status == wanted
        and row.created_at.timestamp() <= operation.ended + CLOCK_SECONDS
        and end >= datetime.fromtimestamp(operation.began - CLOCK_SECONDS, UTC)
        for row, end in zip(own, ends, strict=True)
    )


def _name(operation: Operation) -> str:
    return f"{operation.kind} {operation.number} of patient {operation.patient or 'new'}"
