"""Bugs as a careless developer would write them, each at one place of the product.

Plant one with `with bug.planted(world)`. `promise` is the beginning of the check's report.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from unittest.mock import patch
from uuid import uuid4

from django.db import connection, transaction
from django.db.models.signals import post_save
from kafka.errors import KafkaError
from sqlalchemy import text

from analytics_stream import store as figures
from analytics_stream.batch_processor import BatchProcessor
from analytics_stream.offset_store import OffsetStore
from billing_grpc import store as accounts
from billing_grpc.store import Store as Accounts
from portal.billing import claims
from portal.billing.loop import BillingLoop
from portal.events import leases, producer, services
from portal.events.deliveries import Delivery, Receipt
from portal.events.encoding import encode
from portal.events.pacing import PacedSender
from portal.events.producer import KafkaSender
from portal.events.relay import Relay
from portal.patients.models import EventOutbox, Patient, PatientEvent
from portal.patients.services import patient_changed
from tests.billing_grpc import database as billing_database
from tests.planted_bugs import stories
from tests.planted_bugs.story import Story
from tests.simulator.databases import run_sql
from tests.simulator.world import World

NO_DEADLINE = float("inf")  # seconds
Plant = Callable[[World], AbstractContextManager[object]]
_bugs: list["Bug"] = []


@dataclass(frozen=True)
class Bug:
    """`sentence` names it; `story` shows it; `promise` is how the check that finds it begins."""

    sentence: str
    promise: str
    story: Callable[[Story], None]
    plant: Plant

    @contextmanager
    def planted(self, world: World) -> Iterator[None]:
        """Plants the bug, and clears the world when it is removed."""
        with self.plant(world):
            try:
                yield
            finally:
                world.clear()

    def __str__(self) -> str:
        return self.sentence.replace(" ", "-")


def planted_bug(
    sentence: str, *, breaks: str, shown_by: Callable[[Story], None]
) -> Callable[[Plant], Plant]:
    """Decorates a function that plants a bug, and adds the bug to the list."""

    def enter(plant: Plant) -> Plant:
        _bugs.append(Bug(sentence, breaks, shown_by, plant))
        return plant

    return enter


# The relay and the topic.


@planted_bug(
    "mark before send", breaks="P2: events that nobody", shown_by=stories.killed_while_sending
)
def mark_before_send(world: World):
    def deliver(sender, *, fence, limit=services.BATCH_SIZE, **_):
        messages, _ = services.encode_events(services.waiting_event_ids(limit))
        EventOutbox.objects.filter(pk__in=[message.event_id for message in messages]).delete()
        sender.deliver(messages, before=NO_DEADLINE)
        return len(messages)

    return patch("portal.events.loop.deliver_waiting", deliver)


@planted_bug(
    "cursor polling",
    breaks="P4: it does not catch up",
    shown_by=stories.an_earlier_event_is_committed_later,
)
def cursor_polling(world: World):
    last = [0]

    def newer(limit):
        rows = (
            EventOutbox.objects.filter(pk__gt=last[0])
            .order_by("pk")
            .values_list("pk", flat=True)[:limit]
        )
        ids = list(rows)
        last[0] = max(ids, default=last[0])
        return ids

    return patch.object(services, "waiting_event_ids", newer)


@planted_bug(
    "on-commit-only send", breaks="P2: events that nobody", shown_by=stories.the_broker_is_away
)
@contextmanager
def on_commit_only_send(world: World):
    def send(patient_id):
        transaction.on_commit(lambda: _send_newest(patient_id))

    with _without_outbox(), _after_each_save(send):
        yield


@planted_bug(
    "send inside of the transaction",
    breaks="P1: events on the topic",
    shown_by=stories.a_change_is_rolled_back,
)
@contextmanager
def send_inside_of_the_transaction(world: World):
    with _after_each_save(_send_newest):
        yield


@planted_bug(
    "random message key",
    breaks="P2: a patient's events lie in one",
    shown_by=stories.a_patient_is_changed_often,
)
def random_key(world: World):
    def with_any_key(*args, **kwargs):
        return replace(encode(*args, **kwargs), key=uuid4().bytes)

    return patch.object(services, "encode", with_any_key)


@planted_bug(
    "two events of one patient in one wave",
    breaks="P2: a patient's events in",
    shown_by=stories.the_broker_takes_a_part,
)
def one_wave(world: World):
    return patch.object(services, "split_into_waves", lambda messages: [list(messages)])


@planted_bug(
    "order by time",
    breaks="P2: a patient's events in version order",
    shown_by=stories.an_old_transaction_commits_last,
)
def order_by_time(world: World):
    def by_time(event_ids):
        rows = PatientEvent.objects.filter(pk__in=event_ids).order_by("pgh_created_at")
        return {row.pgh_id: row for row in rows}

    return patch.object(services, "log_rows", by_time)


@planted_bug(
    "flush without future",
    breaks="P2: events that nobody",
    shown_by=stories.a_batch_is_lost_silently,
)
def flush_without_future(world: World):
    def deliver(self, messages):
        self._producer = self._producer or producer._new_producer(self._deadline)
        self._producer.send_wave(self._topic, messages)
        self._producer.flush()
        return Delivery([Receipt(message, 0, -1) for message in messages], [])

    return patch.object(KafkaSender, "_deliver", deliver)


@planted_bug(
    "swallowed exception",
    breaks="P2: events that nobody",
    shown_by=stories.a_batch_is_lost_silently,
)
def swallowed_exception(world: World):
    deliver = KafkaSender.deliver

    def quiet(self, messages, *, before):
        with suppress(KafkaError):
            return deliver(self, messages, before=before)
        return Delivery([Receipt(message, 0, -1) for message in messages], [])

    return patch.object(KafkaSender, "deliver", quiet)


@planted_bug(
    "refused events dropped",
    breaks="P2: events that nobody",
    shown_by=stories.the_broker_refuses_an_event,
)
def refused_events_dropped(world: World):
    deliver = KafkaSender.deliver

    def forgetful(self, messages, *, before):
        delivery = deliver(self, messages, before=before)
        return Delivery(
            delivery.receipts + [Receipt(refusal.message, 0, -1) for refusal in delivery.refusals],
            [],
        )

    return patch.object(KafkaSender, "deliver", forgetful)


@planted_bug(
    "outbox emptied by range",
    breaks="P2: events that nobody",
    shown_by=stories.an_earlier_event_is_committed_later,
)
def outbox_emptied_by_range(world: World):
    record_delivery = services.record_delivery

    def up_to_the_last(receipts, broken, *, fence):
        record_delivery(receipts, broken, fence=fence)
        last = max((receipt.message.event_id for receipt in receipts), default=0)
        EventOutbox.objects.filter(pk__lte=last).delete()

    return patch.object(services, "record_delivery", up_to_the_last)


@planted_bug(
    "an emptied topic stays empty",
    breaks="P2: events that are not on",
    shown_by=stories.the_broker_starts_anew,
)
@contextmanager
def emptied_topic_stays_empty(world: World):
    with patch("portal.events.loop.detect_loss", lambda *_, **__: False):
        yield


@planted_bug(
    "running ahead of the reader",
    breaks="P2: the relay runs no further",
    shown_by=stories.no_consumer_reads_for_a_while,
)
def running_ahead_of_the_reader(world: World):
    return patch.object(PacedSender, "room", lambda self: self._window.size)


# Who leads.


@planted_bug(
    "lease without fencing",
    breaks="P4: a relay that lost",
    shown_by=stories.a_machine_is_suspended_after_sending,
)
@contextmanager
def lease_without_fencing(world: World):
    with ExitStack() as stack:
        for place in ("services", "topic_loss"):
            stack.enter_context(patch(f"portal.events.{place}.require_lease", lambda fence: None))
        yield


@planted_bug(
    "a new leader keeps the number",
    breaks="P4: a relay that lost",
    shown_by=stories.a_machine_is_suspended_after_sending,
)
def a_new_leader_keeps_the_number(world: World):
    return patch_text(leases, "_TAKE", "(lease.holder <> EXCLUDED.holder)::int", "0")


@planted_bug("second beat", breaks="P2: no two relays lead", shown_by=stories.two_relays)
def second_beat(world: World):
    return patch_text(leases, "_TAKE", "WHERE lease.holder = EXCLUDED.holder", "WHERE true")


@planted_bug(
    "sending after the lease",
    breaks="P4: a relay that lost",
    shown_by=stories.a_relay_sleeps_before_sending,
)
def sending_after_the_lease(world: World):
    deliver = KafkaSender.deliver
    return patch.object(
        KafkaSender,
        "deliver",
        lambda self, messages, before: deliver(self, messages, before=NO_DEADLINE),
    )


@planted_bug(
    "a round under a lease that is over",
    breaks="P4: a relay that lost",
    shown_by=stories.a_relay_sleeps_before_asking_billing,
)
def a_round_under_a_lease_that_is_over(world: World):
    return patch.object(
        Relay, "_only_while_leading", lambda self, execute, *statement: execute(*statement)
    )


# Billing.


@planted_bug(
    "no unique key", breaks="P3: exactly one account", shown_by=stories.an_answer_of_billing_is_lost
)
@contextmanager
def no_unique_key(world: World):
    key = "CONSTRAINT billing_account_one_for_each_patient"
    unguarded = accounts.INSERT_MISSING.text.replace("ON CONFLICT DO NOTHING", "")
    billing_database.execute(world.billing_url, f"ALTER TABLE billing_account DROP {key}")
    try:
        with patch.object(accounts, "INSERT_MISSING", text(unguarded)):
            yield
    finally:
        billing_database.execute(world.billing_url, "TRUNCATE billing_account")
        billing_database.execute(
            world.billing_url, f"ALTER TABLE billing_account ADD {key} UNIQUE (patient_id)"
        )


@planted_bug(
    "claims without an end",
    breaks="P3: exactly one account",
    shown_by=stories.killed_while_asking_billing,
)
def claims_without_an_end(world: World):
    ending = "statement_timestamp() + %s * interval '1 second'\n"
    assert ending in claims._CLAIM
    return patch.object(
        claims,
        "_CLAIM",
        claims._CLAIM.replace(ending, "NULL::timestamptz + %s * interval '1 second'\n"),
    )


@planted_bug(
    "answers of an earlier leader",
    breaks="P4: a relay that lost",
    shown_by=stories.a_machine_is_suspended_while_billing_answers,
)
def answers_of_an_earlier_leader(world: World):
    return patch_text(claims, "_MARK", "claimed_by = %(fence)s AND", "%(fence)s > 0 AND")


@planted_bug(
    "synced to what was never told",
    breaks="P3: billing has the name",
    shown_by=stories.a_name_is_corrected_while_billing_answers,
)
def synced_to_what_was_never_told(world: World):
    return patch_text(claims, "_MARK", "answer.version", "account.wanted_version")


@planted_bug(
    "update without version",
    breaks="P3: billing has the name",
    shown_by=stories.an_old_name_reaches_billing_late,
)
def update_without_version(world: World):
    renew = Accounts.renew

    def always(self, details, **more):
        billing_database.execute(
            world.billing_url, "UPDATE billing_account SET patient_version = 0"
        )
        return renew(self, details, **more)

    return patch.object(Accounts, "renew", always)


@planted_bug("no sweep", breaks="P3: exactly one account", shown_by=stories.a_patient_comes_by_sql)
def no_sweep(world: World):
    return patch.object(BillingLoop, "_sweep", lambda self: None)


# The portal's channels.


@planted_bug(
    "retry without key",
    breaks="P1: a registration",
    shown_by=stories.the_answers_to_a_registration_are_lost,
)
def retry_without_key(world: World):
    return patch("portal.patients.api._idempotency_key", lambda request: "")


@planted_bug(
    "triggers off for speed", breaks="P1: one log row", shown_by=stories.a_patient_is_changed_by_sql
)
@contextmanager
def triggers_off(world: World):
    run_sql("ALTER TABLE patients_patient DISABLE TRIGGER USER")
    try:
        yield
    finally:
        run_sql("ALTER TABLE patients_patient ENABLE TRIGGER USER")


# Analytics.


@planted_bug(
    "ack first", breaks="P2: figures", shown_by=stories.workers_are_killed_at_each_statement
)
def ack_first(world: World):
    process = BatchProcessor.process

    async def at_once(self, batch):
        updates = self._tracker.updates_for(batch)
        self._store.save_offsets(updates)
        self._tracker.confirm(updates)
        await process(self, batch)

    return patch.object(BatchProcessor, "process", at_once)


@planted_bug(
    "inbox and figures apart",
    breaks="P2: figures",
    shown_by=stories.workers_are_killed_at_each_statement,
)
@contextmanager
def inbox_and_figures_apart(world: World):
    world.store.engine.update_execution_options(isolation_level="AUTOCOMMIT")
    try:
        yield
    finally:
        world.store.engine.update_execution_options(isolation_level="READ COMMITTED")


@planted_bug("no inbox", breaks="P2: figures", shown_by=stories.an_event_comes_twice)
def no_inbox(world: World):
    def all_are_new(session, events):
        return [(event.state.patient_id, event.event_id) for event in events]

    return patch.object(figures, "_insert_events", all_are_new)


@planted_bug(
    "state by arrival", breaks="P2: figures", shown_by=stories.a_refused_event_is_sent_later
)
@contextmanager
def state_by_arrival(world: World):
    def arrived(old, new):
        return new._replace(registered_at=old.registered_at)

    last = patch_text(
        figures, "UPSERT_STATES", "ORDER BY version DESC, event_id DESC LIMIT 1", "OFFSET 1"
    )
    with last, patch.object(figures, "latest", arrived):
        yield


@planted_bug(
    "dead letter dropped",
    breaks="P2: a message that cannot",
    shown_by=stories.a_message_is_no_event,
)
def dead_letter_dropped(world: World):
    async def only_logged(*_):
        return None

    return patch("analytics_stream.batch_processor.set_aside", only_logged)


@planted_bug(
    "positions of another topic",
    breaks="P2: figures",
    shown_by=stories.the_topic_is_filled_again_unnoticed,
)
def positions_of_another_topic(world: World):
    starts = OffsetStore.starts
    return patch.object(
        OffsetStore,
        "starts",
        lambda self, committed, ends, fingerprints: starts(self, committed, ends, None),
    )


BUGS = tuple(_bugs)


def patch_text(module, name: str, words: str, others: str):
    """Patches the statement of this name: `words` become `others`."""
    statement = getattr(module, name)
    assert words in str(statement), f"{name} has changed: plant this bug anew"
    return patch.object(module, name, type(statement)(str(statement).replace(words, others)))


def _send_newest(patient_id) -> None:
    row = PatientEvent.objects.filter(pgh_obj_id=patient_id).latest("pgh_id")
    sender = KafkaSender()
    with suppress(KafkaError):
        sender.deliver([encode(row, None, include_contact=False)], before=NO_DEADLINE)


@contextmanager
def _after_each_save(send) -> Iterator[None]:
    def receiver(patient_id=None, instance=None, **_):
        send(patient_id or instance.pk)

    for signal in (post_save, patient_changed):
        signal.connect(receiver, sender=Patient, weak=False, dispatch_uid="planted")
    try:
        yield
    finally:
        for signal in (post_save, patient_changed):
            signal.disconnect(sender=Patient, dispatch_uid="planted")


@contextmanager
def _without_outbox() -> Iterator[None]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT tgname FROM pg_trigger WHERE tgname LIKE '%fill_outbox%'")
        [[name]] = cursor.fetchall()
    run_sql(f"ALTER TABLE patients_patientevent DISABLE TRIGGER {name}")
    try:
        yield
    finally:
        run_sql(f"ALTER TABLE patients_patientevent ENABLE TRIGGER {name}")
