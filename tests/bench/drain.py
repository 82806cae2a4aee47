"""A drain: the whole chain works off an outbox full of events, on the embedded broker.

`make drain EVENTS=1000000` is for every night. The patients come by SQL while the relay is
suspended; then it goes on. The broker keeps 5 MB of each partition, far less than they make: what
the relay sends too far ahead of analytics would be lost. Exits 1 where an event or account is
missing, where the broker ever dropped what was not counted, where the figures are not the
database's, and where the reconciliation finds a difference.
"""

import argparse
import sys
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from math import inf
from pathlib import Path

import psutil
from confluent_kafka import Consumer, TopicPartition

from tests.bench import usage
from tests.bench.filling import session
from tests.bench.large_import import print_row, reconcile
from tests.bench.product import Product, started_product
from tests.bench.single import CHAIN, COUNTED, DUE, number_of
from tests.waits import wait_for

STILL_SECONDS = 300  # After so long without any change nothing more will come.
STEP = 10_000  # Patients of one statement.
LOOK_SECONDS, MEMORY_SECONDS = 0.05, 1.0  # Between two looks at the broker, and at the memory.
WAITING = "(SELECT FROM patients_eventoutbox LIMIT 1) AS waiting"
UNBILLED = f"(SELECT FROM {DUE[0]} WHERE {DUE[1]} LIMIT 1) AS due"
STORED = "SELECT partition, next_offset FROM read_offset WHERE topic = 'patient'"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=1_000_000)
    count = parser.parse_args().events
    load, _, _ = psutil.getloadavg()
    print(f"{psutil.cpu_count()} cores with a load of {load:.1f} before\n")
    print(f"| {count:,} events | measured |\n|---|---|", flush=True)
    with (
        tempfile.TemporaryDirectory(prefix="portal-bench-") as folder,
        started_product(Path(folder)) as product,
    ):
        faults = drain(product, count)
        if reconcile(product.system):
            faults.append("the reconciliation found a difference")
    for fault in faults:
        print(fault, file=sys.stderr)
    return int(bool(faults))


def drain(product: Product, count: int) -> list[str]:
    """Prints what was measured, and returns what is wrong."""
    wait_for(product.system.caught_up, seconds=120)
    with (
        session(product.postgres.url("portal")) as portal,
        session(product.postgres.url("analytics")) as analytics,
    ):
        with product.system.without("manage.py relay"):
            began = time.monotonic()
            for first in range(0, count, STEP):
                portal.execute(CHAIN, [min(STEP, count - first)])
            print_row("to write the patients", f"{time.monotonic() - began:.0f} s")
            events = number_of(portal, "count(*)", "patients_patientevent")
            waiting = number_of(portal, "count(*)", "patients_eventoutbox")
            print_row("waiting in the outbox", f"{waiting:,}")
        began = time.monotonic()
        with watched(product) as watch:
            left = {
                "relay, outbox empty": lambda: number_of(
                    portal, "count(*)", "patients_eventoutbox"
                ),
                "billing, all accounts": lambda: number_of(portal, "count(*)", *DUE),
                "analytics, all counted": lambda: events - number_of(analytics, *COUNTED),
            }
            for name in wait_until_done(left):
                seconds = time.monotonic() - began
                print_row(name, f"{seconds:.1f} s, {count / seconds:,.0f}/s")
        print_row("sent", f"{watch.sent - watch.sent_before:,} messages")
        print_row("held at the end", f"{watch.held:,} messages")
        print_row("dropped before they were counted", f"{watch.lost:,} messages")
        print_row("counted ones still held when the broker dropped, at least", f"{watch.reserve:,}")
        for name, megabytes in sorted(watch.peaks.items()):
            print_row(f"most memory: {name}", f"{megabytes:,.0f} MB")
        overruns = ["the broker dropped what was not counted"] if watch.lost else []
        return [*overruns, *differences(product, portal, analytics)]


def wait_until_done(left: dict) -> Iterator[str]:
    """Yields the name of each part as soon as nothing is left for it.

    Ends without those for which nothing more is done: their events are lost.
    """
    before, moved_at = None, time.monotonic()
    while left and time.monotonic() < moved_at + STILL_SECONDS:
        numbers = {name: number() for name, number in left.items()}
        if numbers != before:
            before, moved_at = numbers, time.monotonic()
        for name in [name for name, number in numbers.items() if number <= 0]:
            del left[name]
            yield name
        time.sleep(0.2)


def differences(product: Product, portal, analytics) -> list[str]:
    """Compares the figures and the accounts with the patients and their log."""
    totals = product.system.figures()["totals"]
    portal.execute("SELECT status, count(*) FROM patients_patient GROUP BY status")
    patients = dict(portal.fetchall())
    with session(product.postgres.url("billing")) as billing:
        accounts = number_of(billing, "count(*)", "billing_account")
    counted = number_of(analytics, "count(*)", "counted_event")
    active = number_of(portal, "count(*)", "billing_billingaccount", "status <> 'pending'")
    pairs = {
        "events": (totals["events"], number_of(portal, "count(*)", "patients_patientevent")),
        "events in the inbox": (counted, totals["events"]),
        "accounts": (accounts, sum(patients.values())),
        "accounts known to the portal": (active, accounts),
        **{
            f"{status} patients": (totals[status], patients.get(status, 0))
            for status in ("active", "archived", "merged")
        },
    }
    for name, (found, expected) in pairs.items():
        print_row(name, f"{found:,} of {expected:,}")
    return [
        f"{name}: {found:,} and not {right:,}"
        for name, (found, right) in pairs.items()
        if found != right
    ]


@dataclass
class Watch:
    """What was seen of the broker's window and of the memory."""

    sent_before: int = 0
    sent: int = 0  # Messages, of all partitions.
    held: int = 0
    reserve: float = inf  # The fewest counted messages that a partition held when it dropped.
    losses: defaultdict[int, int] = field(default_factory=lambda: defaultdict(int))
    peaks: defaultdict[str, float] = field(default_factory=lambda: defaultdict(float))

    @property
    def lost(self) -> int:
        return sum(self.losses.values())

    def look(self, consumer: Consumer, cursor, partitions: list[TopicPartition]) -> None:
        """Compares where each partition begins with what was counted, in this order.

        What was counted later can only be more, so that a beginning beyond it is a loss.
        """
        marks = {
            place.partition: consumer.get_watermark_offsets(place, timeout=20)
            for place in partitions
        }
        cursor.execute(STORED)
        counted = dict(cursor.fetchall())
        for number, (beginning, _) in marks.items():
            if beginning:
                reserve = counted.get(number, 0) - beginning
                self.reserve = min(self.reserve, reserve)
                self.losses[number] = max(self.losses[number], -reserve)
        self.sent = sum(end for _, end in marks.values())
        self.held = self.sent - sum(beginning for beginning, _ in marks.values())


@contextmanager
def watched(product: Product) -> Iterator[Watch]:
    """Watches broker and memory during the block."""
    watch, stop = Watch(), threading.Event()
    address = product.system.environment["KAFKA_BOOTSTRAP_SERVERS"]
    consumer = Consumer({"bootstrap.servers": address, "group.id": "bench", "log_level": 0})
    numbers = consumer.list_topics("patient", timeout=20).topics["patient"].partitions
    partitions = [TopicPartition("patient", number) for number in numbers]

    def look_at_broker() -> None:
        with session(product.postgres.url("analytics")) as cursor:
            while not stop.wait(LOOK_SECONDS):
                watch.look(consumer, cursor, partitions)
            watch.look(consumer, cursor, partitions)

    def look_at_memory() -> None:
        while not stop.wait(MEMORY_SECONDS):
            for name, processes in product.groups().items():
                watch.peaks[name] = max(watch.peaks[name], usage.memory_of(processes))

    with session(product.postgres.url("analytics")) as cursor:
        watch.look(consumer, cursor, partitions)
    watch.sent_before = watch.sent
    threads = [threading.Thread(target=look) for look in (look_at_broker, look_at_memory)]
    for thread in threads:
        thread.start()
    try:
        yield watch
    finally:
        stop.set()
        for thread in threads:
            thread.join()
        consumer.close()


if __name__ == "__main__":
    sys.exit(main())
