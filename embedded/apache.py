"""Runs a real Apache Kafka: one node without ZooKeeper, on loopback, with the machine's Java."""

import base64
import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from embedded import programs
from embedded.jars import kafka_jars
from embedded.kafka import Kafka

JVM_OPTIONS = [
    "-Xms64m",
    "-Xmx256m",
    "-XX:+UseSerialGC",
    "-XX:TieredStopAtLevel=1",
    "-Dorg.apache.logging.log4j.level=WARN",
]
PROPERTIES = """\
process.roles=broker,controller
node.id=1
listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller_port}
advertised.listeners=PLAINTEXT://127.0.0.1:{port}
controller.listener.names=CONTROLLER
controller.quorum.voters=1@127.0.0.1:{controller_port}
log.dirs={logs}
# Only `manage.py create_topics` creates topics, and their messages never expire.
auto.create.topics.enable=false
log.retention.ms=-1
num.partitions=4
offsets.topic.num.partitions=4
offsets.topic.replication.factor=1
transaction.state.log.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
group.initial.rebalance.delay.ms=0
# A broker that was killed may join again when its session has expired.
broker.session.timeout.ms=5000
broker.heartbeat.interval.ms=1000
"""


@contextmanager
def apache_kafka(folder: Path, *, port: int = 0) -> Iterator[Kafka]:
    """Runs Kafka on `port`, or a free one, with its data in `folder` until the block ends.

    Raises RuntimeError without Java, Maven or the jars.
    """
    kafka: list[str | Path] = [_java(), *JVM_OPTIONS, "-cp", f"{kafka_jars()}{os.sep}*"]
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    settings, topics, log = folder / "server.properties", folder / "topics", folder / "kafka.log"
    with programs.reserve_port(port) as port, programs.reserve_port() as controller_port:
        settings.write_text(
            PROPERTIES.format(port=port, controller_port=controller_port, logs=topics)
        )
        if not (topics / "meta.properties").exists():
            format_storage = [
                *kafka,
                "kafka.tools.StorageTool",
                "format",
                "-t",
                new_cluster_id(),
                "-c",
                settings,
            ]
            programs.run(format_storage, what="Setting up the storage of Kafka")
        process = programs.start([*kafka, "kafka.Kafka", settings], log=log, cwd=folder)
        try:
            programs.wait_until(
                partial(programs.is_listening, port), name="Apache Kafka", process=process, log=log
            )
            address = f"127.0.0.1:{port}"
            yield Kafka(process.pid, address, api_version="", is_in_memory=False)
        finally:
            programs.end(process, seconds=30)


def new_cluster_id() -> str:
    """Returns a UUID in base64, as Kafka writes them.

    It never begins with a dash, which Kafka's tools would take for an option.
    """
    while True:
        text = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
        if not text.startswith("-"):
            return text


def _java() -> str:
    java = shutil.which("java")
    if java is None:
        raise RuntimeError(
            "KAFKA=apache needs Java 17 or newer (Debian: apt-get install default-jre-headless)."
        )
    return java
