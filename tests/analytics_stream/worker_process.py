"""Runs the worker as a process against a real broker, and reads and writes the broker's topics."""

import json
import os
import secrets
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from contextlib import contextmanager

from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

from tests.analytics_stream.database import address
from tests.analytics_stream.messages import patient_id
from tests.waits import wait_for

TOPIC, DEAD_LETTER_TOPIC = "patient", "patient.dead-letter"
SECONDS = 120  # Longest wait: a rebalance takes up to a minute, for the group's slowest member.


class Worker:
    """A running `python -m analytics_stream worker`."""

    def __init__(self, popen, log):
        self.popen, self._log = popen, log

    @property
    def port(self):
        wait_for(lambda: self.popen.poll() is not None or self.lines("Listening."))
        return self.lines("Listening.")[0]["port"]

    def lines(self, event):
        return [
            line for line in map(json.loads, self.text().splitlines()) if line["event"] == event
        ]

    def text(self):
        """Returns the log up to the last whole line."""
        return self._log.read_text().rpartition("\n")[0]

    def get(self, path):
        """Returns status and JSON of the answer."""
        try:
            with urllib.request.urlopen(
                f"http://127.0.0.1:{self.port}{path}", timeout=60
            ) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as refused:
            return refused.code, json.load(refused)

    def metrics(self):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/metrics", timeout=60) as answer:
            return answer.read().decode()

    def figures(self):
        status, figures = self.get("/figures")
        return figures if status == 200 else None

    def wait_for_events(self, count):
        """Returns the figures once so many events are in them."""

        def figures_with_all():
            figures = self.figures()
            return figures if figures and figures["totals"]["events"] >= count else None

        return wait_for(figures_with_all, seconds=SECONDS)

    def figures_with(self, region, count):
        """Returns the figures if they have so many active patients in the region, else None."""
        figures = self.figures()
        return figures if figures and figures["byRegion"].get(region) == count else None

    def wait_until_caught_up(self):
        wait_for(lambda: self.get("/health/ready")[1]["caughtUp"], seconds=SECONDS)

    def wait_until_joined(self):
        wait_for(lambda: self.get("/health/ready")[0] == 200, seconds=SECONDS)

    def kill(self):
        self.popen.kill()
        self.popen.wait()

    def end(self):
        self.popen.send_signal(signal.SIGTERM)
        return self.popen.wait(60)


@contextmanager
def run_worker(url, broker, folder, *, program=None, **environ):
    log = folder / f"analytics-{len(list(folder.glob('analytics-*.log')))}.log"
    with log.open("wb") as lines:
        popen = subprocess.Popen(
            program or worker_command("worker"),
            env=environment(url, broker, **environ),
            stderr=lines,
        )
    try:
        yield Worker(popen, log)
    finally:
        popen.kill()
        popen.wait()


def worker_command(name):
    return [sys.executable, "-m", "analytics_stream", name]


def environment(url, broker, **more):
    """Returns the variables that the process needs, and no others."""
    needed = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    ours = {
        "ANALYTICS_DATABASE_URL": address(url),
        "KAFKA_BOOTSTRAP_SERVERS": broker,
        "ANALYTICS_PORT": "0",
    }
    return needed | ours | more


def create_topics(broker):
    """Creates both topics on a broker that creates none by itself."""
    admin = AdminClient({"bootstrap.servers": broker})
    topics = [
        NewTopic(name, num_partitions=4, replication_factor=1)
        for name in (TOPIC, DEAD_LETTER_TOPIC)
    ]
    for made in admin.create_topics(topics).values():
        made.result(30)


def send_messages(broker, *messages):
    """Sends (patient number, value) pairs to the topic and waits until the broker has them."""
    limit = {"message.max.bytes": 1_048_500}  # Kafka's own limit; librdkafka's is lower.
    producer = Producer(
        {"bootstrap.servers": broker, "enable.idempotence": True, "linger.ms": 5, **limit}
    )
    failed = []
    for number, value in messages:
        producer.produce(
            TOPIC,
            value,
            key=patient_id(number),
            on_delivery=lambda error, _: error and failed.append(error),
        )
    assert producer.flush(120) == 0
    assert not failed


def committed_offsets(broker):
    """Returns the offset that the group has committed for each partition; negative for none."""
    consumer = Consumer({"bootstrap.servers": broker, "group.id": "analytics"})
    try:
        partitions = [TopicPartition(TOPIC, number) for number in range(4)]
        return [partition.offset for partition in consumer.committed(partitions, timeout=30)]
    finally:
        consumer.close()


def commit_offsets(broker, offsets):
    """Commits these offsets for the workers' group, partition by partition."""
    consumer = Consumer(
        {"bootstrap.servers": broker, "group.id": "analytics", "enable.auto.commit": False}
    )
    try:
        places = [TopicPartition(TOPIC, number, offset) for number, offset in enumerate(offsets)]
        consumer.commit(offsets=places, asynchronous=False)
    finally:
        consumer.close()


def read_dead_letters(broker, numbers):
    """Waits for a dead letter about each of these patients, and returns them by patient number."""
    group = secrets.token_hex(8)  # The embedded broker waits 45 s for a member who has left.
    reader = {
        "group.id": group,
        "auto.offset.reset": "earliest",
        "topic.metadata.refresh.interval.ms": 500,
    }
    consumer = Consumer({"bootstrap.servers": broker, **reader})
    consumer.subscribe([DEAD_LETTER_TOPIC])  # Perhaps before the topic exists.
    wanted, found = {patient_id(number).encode(): number for number in numbers}, {}

    def read():
        letter = consumer.poll(0.1)
        # A letter without a value is falsy, so the test is against None.
        if letter is not None and not letter.error() and letter.key() in wanted:
            found[wanted[letter.key()]] = letter
        return len(found) == len(wanted)

    try:
        wait_for(read)
    finally:
        consumer.close()
    return found
