"""Runs the Kafka broker inside confluent-kafka: it speaks the real protocol, in memory only."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from embedded import programs

ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Kafka:
    """A running broker.

    `api_version` is a setting that kafka-python needs; empty for none. A broker that `is_in_memory`
    is empty after a restart.
    """

    pid: int
    address: str
    api_version: str
    is_in_memory: bool


@contextmanager
def kafka(folder: Path, *, port: int = 0) -> Iterator[Kafka]:
    """Runs the broker on `port`, or a free one, until the block ends, with its log in `folder`.

    It creates topics by itself (4 partitions), and keeps 5 MB or 100,000 messages of each
    partition.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    log = folder / "kafka.log"
    with programs.reserve_port(port) as port:
        command: list[str | Path] = [sys.executable, "-m", "embedded.broker", str(port)]
        process = programs.start(command, log=log, cwd=ROOT, stdin=subprocess.PIPE)
        try:
            ready = partial(programs.is_listening, port)
            programs.wait_until(ready, name="The Kafka broker", process=process, log=log)
            yield Kafka(process.pid, f"127.0.0.1:{port}", api_version="2.0", is_in_memory=True)
        finally:
            programs.end(process)
