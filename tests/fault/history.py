"""The clients' requests and answers, which are compared with the stores."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from pathlib import Path
from time import time

MARK = "op-"
NO_PROBLEM = "an error that is no problem document"


class Outcome(StrEnum):
    """The outcome of a request, as far as the client knows it."""

    OK = "ok"
    FAILED = "failed"  # Refused: it must have had no effect.
    UNKNOWN = "unknown"  # The answer was lost, or was an error of the server: one effect, or none.


@dataclass
class Operation:
    """A change that a client wants. If it takes effect, `mark` stands in a field of the patient."""

    number: int
    kind: str
    mark: str = ""
    patient: str = ""
    request_id: str = ""
    expected_version: int | None = None
    began: float = field(default_factory=time)
    ended: float = 0.0
    outcome: Outcome = Outcome.UNKNOWN
    version: int | None = None  # in the answer
    statuses: list[int] = field(default_factory=list)  # of each attempt; 0 without an answer
    errors: list[str] = field(default_factory=list)
    patients: list[str] = field(default_factory=list)  # that answers named

    @property
    def seconds(self) -> float:
        return self.ended - self.began


class History:
    """All operations, in memory and as lines of JSON in `file`."""

    def __init__(self, file: Path) -> None:
        self.operations: list[Operation] = []
        self._lock = threading.Lock()
        self._file = file.open("w", buffering=1)

    def new(self, kind: str, **facts: object) -> Operation:
        with self._lock:
            number = len(self.operations) + 1
            operation = Operation(
                number, kind, f"{MARK}{number:06}", request_id=f"fault-{number:06}", **facts
            )
            self.operations.append(operation)
            return operation

    @contextmanager
    def under_way(self, operation: Operation) -> Iterator[Operation]:
        """Writes down the end of the operation, whatever happens in the block."""
        try:
            yield operation
        finally:
            operation.ended = time()
            with self._lock:
                if not self._file.closed:
                    self._file.write(json.dumps(asdict(operation)) + "\n")

    def close(self) -> None:
        with self._lock:
            self._file.close()
