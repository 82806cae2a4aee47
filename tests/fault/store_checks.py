"""What the stores hold against each other: patients, log, outbox, topic, figures and accounts agree."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC
from itertools import pairwise

from tests.fault.history import Operation
from tests.fault.stores import Account, Stores

SHOWN = 10


def versions_have_no_gap(_: Sequence[Operation], stores: Stores) -> Iterator[str]:
    """Each patient's rows of the log are version 1 to the one that the patient has, in the order of the log."""
    versions: dict[str, list[int]] = defaultdict(list)
    for row in stores.log:
        versions[row.patient].append(row.version)
    for person in stores.patients:
        found = versions.pop(person.patient, [])
        if found != list(range(1, person.version + 1)):
            yield f"patient {person.patient} is at version {person.version}, the log has {_short(found)}"
    yield from (f"the log has patient {patient}, who is not there" for patient in versions)


def patients_are_as_the_log_says(_: Sequence[Operation], stores: Stores) -> Iterator[str]:
    """The last row of the log is the patient."""
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
    """Each row of the log, and nothing else."""
    logged = {row.event_id: (row.patient, row.version) for row in stores.log}
    sent = {message.event_id for message in stores.topic}
    yield from (f"event {event} is not on the topic" for event in logged if event not in sent)
    yield from (
        f"event {event} is on the topic and not in the log" for event in sent if event not in logged
    )
    for one in stores.topic:
        if logged.get(one.event_id, (one.patient, one.version)) != (one.patient, one.version):
            yield f"event {one.event_id} says something else on the topic"


def events_come_in_order(_: Sequence[Operation], stores: Stores) -> Iterator[str]:
    """A patient's events are in one partition, and come there first in the order of their versions.

    A topic that was emptied may hold, before it is filled again from version 1, what was on its way at that moment.
    """
    partitions: dict[str, set[int]] = defaultdict(set)
    versions: dict[str, list[int]] = defaultdict(list)
    for message in stores.topic:
        partitions[message.patient].add(message.partition)
        if message.version == 1 and stores.was_emptied and 1 not in versions[message.patient]:
            versions[message.patient].clear()  # What was on its way comes again in its place.
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
    """Outbox and quarantine are empty."""
    if stores.outbox:
        yield f"{len(stores.outbox)} events wait in the outbox: {_short(stores.outbox)}"
    if stores.quarantine:
        yield f"{len(stores.quarantine)} events are in quarantine: {_short(stores.quarantine)}"


def each_event_is_counted_once(_: Sequence[Operation], stores: Stores) -> Iterator[str]:
    """The inbox of analytics is the log, and each state is the patient's latest."""
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
    """Every figure, worked out anew from patients and log."""
    wanted = figures_of(stores)
    for place in sorted(wanted.keys() | stores.figures.keys()):
        if wanted.get(place, 0) != stores.figures.get(place, 0):
            yield f"figure {' '.join(place)} is {stores.figures.get(place, 0)} and should be {wanted.get(place, 0)}"


def each_patient_has_one_account(_: Sequence[Operation], stores: Stores) -> Iterator[str]:
    """One account in billing, known to the portal by its id, closed where the patient is not active."""
    accounts, asked = _by_patient(stores.accounts), _by_patient(stores.asked_accounts)
    for person in stores.patients:
        there, known = accounts.pop(person.patient, []), asked.get(person.patient, [])
        if len(there) != 1:
            yield f"patient {person.patient} has {len(there)} accounts"
        elif [one.account_id for one in known] != [there[0].account_id]:
            yield f"the portal and billing name different accounts of patient {person.patient}"
        elif known[0].due:
            yield f"billing has yet to hear of patient {person.patient}"
        elif not known[0].is_closed == there[0].is_closed == (person.status != "active"):
            yield f"patient {person.patient} is {person.status}, and the account is {_words(known[0], there[0])}"
    yield from (f"there is an account of {patient}, who is no patient" for patient in accounts)


def poison_is_set_aside(_: Sequence[Operation], stores: Stores) -> Iterator[str]:
    """Each message that cannot be counted is a dead letter with a reason, and nothing else is one."""
    planted, letters = (
        {one.number for one in stores.poison},
        {one.number for one in stores.dead_letters},
    )
    yield from (
        f"poison {number} is not in the dead letters" for number in sorted(planted - letters)
    )
    yield from (f"{number} was set aside and is no poison" for number in sorted(letters - planted))
    yield from (
        f"dead letter {one.number} has no reason" for one in stores.dead_letters if not one.reason
    )


def figures_of(stores: Stores) -> dict[tuple[str, str], int]:
    """The counts that analytics should have, by figure and bucket."""
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


def _words(asked: Account, there: Account) -> str:
    words = {True: "closed", False: "open"}
    return f"{words[asked.is_closed]} in the portal and {words[there.is_closed]} in billing"


def _short(numbers: Sequence[int]) -> str:
    return ", ".join(map(str, numbers[:SHOWN])) + (" ..." if len(numbers) > SHOWN else "")
