"""The promises that hold after each step, and those of all stores when everything has caught up."""

from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING
from uuid import UUID

from tests.analytics_stream import database as analytics_database
from tests.billing_grpc import database as billing_database
from tests.simulator.databases import run_sql
from tests.simulator.relays import LoopThread, RelayProcess

if TYPE_CHECKING:
    from tests.simulator.world import World

_LOG = """
    SELECT coalesce(patient.id, log.patient), patient.version, log.versions
    FROM patients_patient AS patient FULL JOIN (
        SELECT pgh_obj_id AS patient, array_agg(version ORDER BY pgh_id) AS versions
        FROM patients_patientevent GROUP BY pgh_obj_id) AS log ON log.patient = patient.id
"""
_EVENTS = """
    SELECT pgh_id, outbox.event_id IS NOT NULL, quarantined.event_id IS NOT NULL
    FROM patients_patientevent AS log
    LEFT JOIN patients_eventoutbox AS outbox ON outbox.event_id = log.pgh_id
    LEFT JOIN events_quarantinedevent AS quarantined ON quarantined.event_id = log.pgh_id
"""
# Everything that a relay writes.
_DIGEST = """
    SELECT (SELECT array_agg(event_id ORDER BY event_id) FROM patients_eventoutbox),
        (SELECT array_agg(event_id ORDER BY event_id) FROM events_quarantinedevent),
        (SELECT array_agg(account::text ORDER BY patient_id) FROM billing_billingaccount AS account)
"""
_EXPECTED_FIGURES = """
    WITH log AS (
        SELECT version, pgh_created_at AT TIME ZONE 'UTC' AS at FROM patients_patientevent
    ), active AS (
        SELECT * FROM patients_patient WHERE status = 'active'
    )
    SELECT 'status', status, count(*) FROM patients_patient GROUP BY status
    UNION ALL SELECT 'registered_on', registered_on::text, count(*)
        FROM patients_patient GROUP BY registered_on
    UNION ALL SELECT 'registered_at', to_char(at, 'YYYY-MM-DD"T"HH24'), count(*)
        FROM log WHERE version = 1 GROUP BY 2
    UNION ALL SELECT 'minute', to_char(at, 'YYYY-MM-DD"T"HH24:MI'), count(*) FROM log GROUP BY 2
    UNION ALL SELECT 'registered_minute', to_char(at, 'YYYY-MM-DD"T"HH24:MI'), count(*)
        FROM log WHERE version = 1 GROUP BY 2
    UNION ALL SELECT 'quarter',
        to_char(date_bin('15 minutes', at, '2000-01-01'), 'YYYY-MM-DD"T"HH24:MI'), count(*)
        FROM log GROUP BY 2
    UNION ALL SELECT 'events', '', count(*) FROM log HAVING count(*) > 0
    UNION ALL SELECT 'sex', sex, count(*) FROM active GROUP BY sex
    UNION ALL SELECT 'birth_year', '0000', count(*) FROM active HAVING count(*) > 0
    UNION ALL SELECT 'region', coalesce(nullif(region, ''), 'unknown'), count(*)
        FROM active GROUP BY region
    UNION ALL SELECT 'source', source, count(*) FROM active GROUP BY source
"""
_ACCOUNTS = """
    SELECT patient_id, 'BA-' || lpad(number::text, 9, '0'), name, email,
        closed_at IS NOT NULL, patient_version
    FROM billing_account
"""
_WANTED_ACCOUNTS = """
    SELECT patient.id, account.account_id,
        concat_ws(' ', nullif(given_name, ''), nullif(family_name, '')), email,
        patient.status <> 'active', account.status, patient.version
    FROM patients_patient AS patient
    LEFT JOIN billing_billingaccount AS account ON account.patient_id = patient.id
"""


class Violation(AssertionError):
    """A broken promise. The text begins with its number."""


def must(holds: object, promise: str) -> None:
    if not holds:
        raise Violation(promise)


def after_each_step(world: "World") -> None:
    the_log_has_each_change_once(world)
    nothing_is_lost_on_the_way(world)
    the_topic_is_in_order(world)
    nobody_has_two_accounts(world)


def at_the_end(world: "World") -> None:
    """Compares all stores after everything was repaired and has caught up."""
    after_each_step(world)
    everything_was_sent(world)
    figures_are_right(world)
    everyone_has_an_account(world)
    letters = {letter.message.value for letter in world.set_aside}
    must(
        world.broker.rubbish() <= letters,
        "P2: a message that cannot be counted is in the dead-letter topic",
    )


def the_log_has_each_change_once(world: "World") -> None:
    found = {patient: (version, versions) for patient, version, versions in run_sql(_LOG)}
    wanted = {patient: (last, list(range(1, last + 1))) for patient, last in world.versions.items()}
    must(found == wanted, f"P1: one log row for each committed change: {_differing(found, wanted)}")


def nothing_is_lost_on_the_way(world: "World") -> None:
    events = run_sql(_EVENTS)
    gone = {number for number, waits, is_quarantined in events if not waits and not is_quarantined}
    must(
        gone <= world.broker.delivered,
        f"P2: events that nobody will send: {gone - world.broker.delivered}",
    )
    phantoms = world.broker.delivered - {number for number, *_ in events}
    must(not phantoms, f"P1: events on the topic of changes that were never committed: {phantoms}")


def the_topic_is_in_order(world: "World") -> None:
    """Checks the order of versions; a version that was refused once may come later."""
    excused = defaultdict(set)
    if world.broker.ever_refused:
        rows = run_sql("SELECT pgh_obj_id::text, version, pgh_id FROM patients_patientevent")
        for patient, version, number in rows:
            if number in world.broker.ever_refused:
                excused[patient].add(version)
    for patient, versions in world.broker.first_seen.items():
        first = [version for version in versions if version not in excused[patient]]
        missing = set(range(1, max(first, default=0))) - set(first) - excused[patient]
        must(
            first == sorted(first) and not missing,
            f"P2: a patient's events in version order: {versions}",
        )
    # A message that came twice may lie unread beside those that the relay counts.
    holds = not world.broker.window or world.broker.most_unread <= 2 * world.broker.window
    must(holds, "P2: the relay runs no further ahead of its reader than the broker keeps")
    for lanes in world.broker.seen_in.values():
        must(
            len(lanes) == 1,
            "P2: a patient's events lie in one partition, which alone keeps their order",
        )


def nobody_has_two_accounts(world: "World") -> None:
    for patient, account in run_sql(
        "SELECT patient_id, account_id FROM billing_billingaccount WHERE account_id <> ''"
    ):
        known = world.known_accounts.setdefault(patient, account)
        must(known == account, f"P3: an account's number stays: {known} became {account}")


def one_leads(world: "World") -> None:
    """Checks that at most one relay leads, apart from a suspended machine, which cannot know."""
    leaders = [relay for relay in world.relays if relay.leads and not relay.seconds_behind]
    must(len(leaders) < 2, "P2: no two relays lead at a time")


@contextmanager
def nothing_written_by_the_fenced(
    world: "World", relay: RelayProcess, turn: LoopThread
) -> Iterator[None]:
    """Checks that a resumed process changes nothing while another relay leads."""
    if not turn.process.is_stopped or run_sql(
        "SELECT 1 FROM events_relaylease WHERE holder = %s", [relay.holder]
    ):
        yield
        return
    before, appended = run_sql(_DIGEST), world.broker.appended
    yield
    must(
        run_sql(_DIGEST) == before, "P4: a relay that lost its lease while it slept writes nothing"
    )
    must(
        world.broker.appended == appended,
        "P4: a relay that lost its lease while it slept sends nothing",
    )


def everything_was_sent(world: "World") -> None:
    log = {number for [number] in run_sql("SELECT pgh_id FROM patients_patientevent")}
    must(
        log <= world.broker.event_ids_on_topic(),
        f"P2: events that are not on the topic: {log - world.broker.event_ids_on_topic()}",
    )


def figures_are_right(world: "World") -> None:
    wanted = {(name, bucket): count for name, bucket, count in run_sql(_EXPECTED_FIGURES)}
    found = analytics_database.read_figures(world.analytics_url)
    must(found == wanted, f"P2: figures as the patients have them: {_differing(found, wanted)}")


def everyone_has_an_account(world: "World") -> None:
    accounts: dict[UUID, list] = defaultdict(list)
    for patient, *facts in billing_database.execute(world.billing_url, _ACCOUNTS):
        accounts[UUID(str(patient))].append(facts)
    for patient, number, name, email, is_closed, status, version in run_sql(_WANTED_ACCOUNTS):
        at_billing = accounts.pop(patient, [])
        must(
            len(at_billing) == 1, f"P3: exactly one account of each patient, not {len(at_billing)}"
        )
        [[given, named, address, closed, known]] = at_billing
        must(given == number, f"P3: the account that billing has: {given}, not {number!r}")
        must(
            (named, address) == (name, email),
            f"P3: billing has the name and e-mail of version {known} of {version}",
        )
        must(
            closed == is_closed == (status == "closed"),
            f"P3: an account is closed where the patient is: {status}",
        )
    must(not accounts, "P3: no account without a patient")


def _differing(found: dict, wanted: dict) -> dict:
    keys = [key for key in found.keys() | wanted.keys() if found.get(key) != wanted.get(key)]
    return {str(key): (found.get(key), wanted.get(key)) for key in sorted(keys, key=str)[:5]}
