"""The embedded Kafka broker and the real one start, carry messages and end."""

import os
import signal
import subprocess
import sys

import pytest
from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer
from kafka.admin import NewTopic
from kafka.errors import KafkaTimeoutError

from embedded.apache import apache_kafka, new_cluster_id
from embedded.environment import ROOT
from embedded.kafka import kafka
from tests.waits import has_ended, wait_for


def version(broker):
    return (
        {"api_version": tuple(map(int, broker.api_version.split(".")))}
        if broker.api_version
        else {}
    )


def send(broker, topic, value, *, seconds=60):
    producer = KafkaProducer(
        bootstrap_servers=broker.address, acks="all", max_block_ms=seconds * 1000, **version(broker)
    )
    try:
        return producer.send(topic, value, key=b"key").get(timeout=60)
    finally:
        producer.close()


def poll_values(consumer):
    return [message.value for messages in consumer.poll(2000).values() for message in messages]


def read(broker, topic, count):
    consumer = KafkaConsumer(
        topic,
        bootstrap_servers=broker.address,
        group_id="readers",
        auto_offset_reset="earliest",
        **version(broker),
    )
    values = []
    try:
        wait_for(lambda: values.extend(poll_values(consumer)) or len(values) >= count, seconds=60)
    finally:
        consumer.close()
    return values


def test_the_embedded_broker_carries_messages_to_a_group(tmp_path):
    with kafka(tmp_path) as broker:
        send(broker, "patient", b"first")
        assert read(broker, "patient", 1) == [b"first"]


def test_the_embedded_broker_ends_with_its_block(tmp_path):
    with kafka(tmp_path) as broker:
        pass
    assert has_ended(broker.pid)


def test_the_embedded_broker_ends_when_its_starter_is_killed(tmp_path):
    starter = f"""
import signal
from pathlib import Path
from embedded.kafka import kafka
with kafka(Path({str(tmp_path)!r})) as broker:
    print(broker.pid, flush=True)
    signal.pause()
"""
    with subprocess.Popen(
        [sys.executable, "-c", starter], cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as process:
        pid = int(process.stdout.readline())
        os.kill(process.pid, signal.SIGKILL)
    wait_for(lambda: has_ended(pid))


@pytest.mark.kafka
def test_apache_kafka_keeps_its_messages_over_a_restart(tmp_path):
    with apache_kafka(tmp_path) as broker:
        admin = KafkaAdminClient(bootstrap_servers=broker.address)
        admin.create_topics([NewTopic("patient", num_partitions=4, replication_factor=1)])
        admin.close()
        send(broker, "patient", b"first")
        os.kill(broker.pid, signal.SIGKILL)
    with apache_kafka(tmp_path) as broker:
        send(broker, "patient", b"second")
        assert read(broker, "patient", 2) == [b"first", b"second"]


@pytest.mark.kafka
def test_apache_kafka_makes_no_topic_by_itself(tmp_path):
    with apache_kafka(tmp_path) as broker, pytest.raises(KafkaTimeoutError):
        send(broker, "unheard-of", b"value", seconds=5)


def test_no_cluster_id_looks_like_an_option():
    """One UUID in 64 begins with a dash, so that a thousand are enough to find one."""
    assert not any(new_cluster_id().startswith("-") for _ in range(1000))
