"""Apache Kafka for a run, with a listener for each client, so that each can lose its own link."""

import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from embedded import programs
from embedded.apache import JVM_OPTIONS, PROPERTIES, new_cluster_id
from embedded.jars import kafka_jars
from embedded.kafka import Kafka

# A later line wins over an earlier one.
LISTENERS = """\
listeners={listeners},CONTROLLER://127.0.0.1:{controller_port}
advertised.listeners={advertised}
listener.security.protocol.map={protocols},CONTROLLER:PLAINTEXT
inter.broker.listener.name={first}
# A killed broker may come back at once.
broker.session.timeout.ms=3000
broker.heartbeat.interval.ms=500
"""


@contextmanager
def broker(
    folder: Path, *, listeners: Mapping[str, tuple[int, int]], controller_port: int, log: Path
) -> Iterator[Kafka]:
    """Runs Kafka on the data in `folder` until the block ends.

    `listeners` has by name the port that Kafka listens on and the port that it advertises. The
    first listener is for the broker itself.
    """
    java, jars = shutil.which("java"), kafka_jars()
    if java is None:
        raise RuntimeError(
            "make fault needs Java 17 or newer (Debian: apt-get install default-jre-headless)."
        )
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    settings = folder / "server.properties"
    settings.write_text(_properties(folder, listeners, controller_port))
    kafka: list[str | Path] = [java, *JVM_OPTIONS, "-cp", f"{jars}{os.sep}*"]
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
    port = next(iter(listeners.values()))[0]
    try:
        programs.wait_until(
            partial(programs.is_listening, port), name="Apache Kafka", process=process, log=log
        )
        yield Kafka(process.pid, f"127.0.0.1:{port}", api_version="", is_in_memory=False)
    finally:
        programs.end(process, seconds=30)


def empty(folder: Path) -> None:
    """Loses every message, offset and topic, like the disk of the broker."""
    shutil.rmtree(folder / "topics")


def _properties(
    folder: Path, listeners: Mapping[str, tuple[int, int]], controller_port: int
) -> str:
    port = next(iter(listeners.values()))[0]
    return PROPERTIES.format(
        port=port, controller_port=controller_port, logs=folder / "topics"
    ) + LISTENERS.format(
        listeners=",".join(
            f"{name}://127.0.0.1:{listens}" for name, (listens, _) in listeners.items()
        ),
        advertised=",".join(
            f"{name}://127.0.0.1:{advertised}" for name, (_, advertised) in listeners.items()
        ),
        protocols=",".join(f"{name}:PLAINTEXT" for name in listeners),
        first=next(iter(listeners)),
        controller_port=controller_port,
    )
