"""Compares the stores with each other: patients, log, outbox, topic, figures and accounts."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC
from itertools import pairwise

from tests.fault.history import Operation
from tests.fault.stores import Account, Stores

SHOWN = 10  # numbers in a message, at most


def versions_have_no_gap(_: Sequence[Operation], stores: Stores) -> Iterator[str]:
    """Checks that the log has version 1 to the patient's version, in order."""
    versions: dict[str, list[int]] = defaultdict(list)
    for row in stores.log:
        versions[row.patient].append(row.version)
    for person in stores.patients:
        found = versions.pop(person.patient, [])
        if found != list(range(1, person.version + 1)):
            versions_text = f"version {person.version}, the log has {_short(found)}"
            yield f"patient {person.patient} is at {versions_text}"
    yield from (f"the log has patient {patient}, who is not there" for patient in versions)


def patients_are_as_the_log_says(_: Sequence[Operation], stores: Stores) -> Iterator[str]:
    """Checks that the last row of the log equals the patient."""
    last = {row.patient: row for row in stores.log}
    for person in stores.patients:
        row = last.get(person.patient)
        if row and (row.version, row.status, row.mark) != (
            person.version,
            person.status,
            person.mark,
        ):
            yield f"patient {person.patient} differs from the last row of the log"


def all_events_are_on_the_topic(_: Sequence[Operation], stores: Stores) -> Iterator[str]:
    """Checks that the topic has each row of the log, and nothing else."""
    logged = {row.event_id: (row.patient, row.version) for row in stores.log}
    sent = {message.event_id for message in stores.topic}
    yield from (f"event {event} is not on the topic" for event in logged if event not in sent)
    yield from (
        f"event {event} is on the topic and not in the log" for event in sent if event not in logged
    )
    for message in stores.topic:
        on_topic = (message.patient, message.version)
        if logged.get(message.event_id, on_topic) != on_topic:
            yield f"event {message.event_id} says something else on the topic"


def events_come_in_order(_: Sequence[Operation], stores: Stores) -> Iterator[str]:
    """Checks that a patient's events are in a single partition, in the order of versions.

    A topic that was emptied may first hold events that were on their way at that moment.
    """
    partitions: dict[str, set[int]] = defaultdict(set)
    versions: dict[str, list[int]] = defaultdict(list)
    for message in stores.topic:
        partitions[message.patient].add(message.partition)
        if message.version == 1 and stores.was_emptied and 1 not in versions[message.patient]:
            versions[message.patient].clear()  # Events that were on their way come again.
        if message.version not in versions[message.patient]:
            versions[message.patient].append(message.version)
    spread = {patient: len(found) for patient, found in partitions.items() if len(found) > 1}
    yield from (f"patient {patient} is in {count} partitions" for patient, count in spread.items())
    for patient, found in versions.items():
        if wrong := [
            f"{after} after {before}" for before, after in pairwise(found) if after < before
        ]:
            yield f"the topic has patient {patient} out of order: {', '.join(wrong[:3])}"


def nothing_waits(_: Sequence[Operation], stores: Stores) -> Iterator[str]:
    """Checks that outbox and quarantine are empty."""
    if stores.outbox:
        yield f"{len(stores.outbox)} events wait in the outbox: {_short(stores.outbox)}"
    if stores.quarantine:
        yield f"{len(stores.quarantine)} events are in quarantine: {_short(stores.quarantine)}"


def each_event_is_counted_once(_: Sequence[Operation], stores: Stores) -> Iterator[str]:
    """Checks that the inbox of analytics equals the log, and that states are the latest."""
    logged, counted = {row.event_id for row in stores.log}, Counter(stores.inbox)
    yield from (f"event {event} was not counted" for event in sorted(logged - counted.keys()))
    yield from (
        f"event {event} was counted and is not in the log"
        for event in sorted(counted.keys() - logged)
    )
    yield from (
        f"event {event} is in the inbox {count} times"
        for event, count in counted.items()
        if count > 1
    )
    last = {row.patient: (row.version, row.event_id, row.status) for row in stores.log}
    for patient in last.keys() | stores.states.keys():
        if tuple(stores.states.get(patient, ())) != last.get(patient, ()):
            yield f"analytics has another state of patient {patient} than the log"


def figures_are_right(_: Sequence[Operation], stores: Stores) -> Iterator[str]:
    """Compares every figure with the figure computed from patients and log."""
    wanted = figures_of(stores)
    for place in sorted(wanted.keys() | stores.figures.keys()):
        if wanted.get(place, 0) != stores.figures.get(place, 0):
            found, right = stores.figures.get(place, 0), wanted.get(place, 0)
            yield f"figure {' '.join(place)} is {found} and should be {right}"


def each_patient_has_one_account(_: Sequence[Operation], stores: Stores) -> Iterator[str]:
    """Checks that each patient has an account on both sides, closed if not active."""
    accounts, asked = _by_patient(stores.accounts), _by_patient(stores.asked_accounts)
    for person in stores.patients:
        in_billing, known = accounts.pop(person.patient, []), asked.get(person.patient, [])
        if len(in_billing) != 1:
            yield f"patient {person.patient} has {len(in_billing)} accounts"
        elif [account.account_id for account in known] != [in_billing[0].account_id]:
            yield f"the portal and billing name different accounts of patient {person.patient}"
        elif known[0].due:
            yield f"billing has yet to hear of patient {person.patient}"
        elif not known[0].is_closed == in_billing[0].is_closed == (person.status != "active"):
            states = _states(known[0], in_billing[0])
            yield f"patient {person.patient} is {person.status}, and the account is {states}"
    yield from (f"there is an account of {patient}, who is no patient" for patient in accounts)


def poison_is_set_aside(_: Sequence[Operation], stores: Stores) -> Iterator[str]:
    """Checks that exactly the poison is in the dead letters, each with a reason."""
    planted = {message.number for message in stores.poison}
    letters = {letter.number for letter in stores.dead_letters}
    yield from (
        f"poison {number} is not in the dead letters" for number in sorted(planted - letters)
    )
    yield from (f"{number} was set aside and is no poison" for number in sorted(letters - planted))
    for letter in stores.dead_letters:
        if not letter.reason:
            yield f"dead letter {letter.number} has no reason"


def figures_of(stores: Stores) -> dict[tuple[str, str], int]:
    """Returns the counts that analytics should have, by figure and bucket."""
    counts = Counter[tuple[str, str]]()
    for row in stores.log:
        at = row.created_at.astimezone(UTC).isoformat()
        counts["events", ""] += 1
        counts["minute", at[:16]] += 1
        counts["quarter", f"{at[:14]}{int(at[14:16]) // 15 * 15:02}"] += 1
        if row.version == 1:
            counts["registered_at", at[:13]] += 1
            counts["registered_minute", at[:16]] += 1
    for person in stores.patients:
        counts["status", person.status] += 1
        counts["registered_on", person.registered_on.isoformat()] += 1
        if person.status == "active":
            counts["sex", person.sex] += 1
            counts["birth_year", f"{person.birth_year:04}"] += 1
            counts["region", person.region or "unknown"] += 1
            counts["source", person.source] += 1
    return dict(counts)


def _by_patient(accounts: Iterable[Account]) -> dict[str, list[Account]]:
    found: dict[str, list[Account]] = defaultdict(list)
    for account in accounts:
        found[account.patient].append(account)
    return found


def _states(asked: Account, in_billing: Account) -> str:
    words = {True: "closed", False: "open"}
    return f"{words[asked.is_closed]} in the portal and {words[in_billing.is_closed]} in billing"


def _short(numbers: Sequence[int]) -> str:
    return ", ".join(map(str, numbers[:SHOWN])) + (" ..." if len(numbers) > SHOWN else "")
