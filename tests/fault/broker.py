"""Apache Kafka for a run: a way in for each reader and writer, so that each can lose its own, and a log to be lost."""

import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from embedded import programs
from embedded.apache import LEAN, PROPERTIES, new_cluster_id
from embedded.jars import kafka_jars
from embedded.kafka import Kafka

# A later line wins over an earlier one.
DOORS = """\
listeners={listeners},CONTROLLER://127.0.0.1:{controller_port}
advertised.listeners={advertised}
listener.security.protocol.map={protocols},CONTROLLER:PLAINTEXT
inter.broker.listener.name={first}
# One that was killed may come back as soon as it can.
broker.session.timeout.ms=3000
broker.heartbeat.interval.ms=500
"""


@contextmanager
def broker(
    folder: Path, *, doors: Mapping[str, tuple[int, int]], controller_port: int
) -> Iterator[Kafka]:
    """Run Kafka on the data in `folder` until the block ends.

    `doors` has by name the port that Kafka listens on and the one that it tells its clients; the first is its own.
    """
    java, jars = shutil.which("java"), kafka_jars()
    if java is None:
        raise RuntimeError(
            "make fault needs Java 17 or newer (Debian: apt-get install default-jre-headless)."
        )
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    settings, log = folder / "server.properties", folder / "kafka.log"
    settings.write_text(_properties(folder, doors, controller_port))
    kafka: list[str | Path] = [java, *LEAN, "-cp", f"{jars}{os.sep}*"]
    if not (folder / "topics" / "meta.properties").exists():
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
    port = next(iter(doors.values()))[0]
    try:
        programs.wait_until(
            partial(programs.is_listening, port), name="Apache Kafka", process=process, log=log
        )
        yield Kafka(process.pid, f"127.0.0.1:{port}", api_version="", forgets=False)
    finally:
        programs.end(process, seconds=30)


def empty(folder: Path) -> None:
    """Lose every message, offset and topic, as with the disk of the broker."""
    shutil.rmtree(folder / "topics")


def _properties(folder: Path, doors: Mapping[str, tuple[int, int]], controller_port: int) -> str:
    port = next(iter(doors.values()))[0]
    return PROPERTIES.format(
        port=port, controller_port=controller_port, logs=folder / "topics"
    ) + DOORS.format(
        listeners=",".join(f"{name}://127.0.0.1:{listens}" for name, (listens, _) in doors.items()),
        advertised=",".join(f"{name}://127.0.0.1:{tells}" for name, (_, tells) in doors.items()),
        protocols=",".join(f"{name}:PLAINTEXT" for name in doors),
        first=next(iter(doors)),
        controller_port=controller_port,
    )
