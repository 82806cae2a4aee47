"""The load: ten writes in a second through every channel, most of them on few patients."""

import random
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.fault.channels import Sql, import_people
from tests.fault.client import Api
from tests.fault.history import History, Operation, Outcome
from tests.fault.people import person
from tests.fault.system import System

WRITES_PER_SECOND = 10
PATIENTS = 300
HOT, HOT_SHARE = 30, 0.6  # patients, and the share of the changes that they get
WORKERS = 24  # requests that wait at once; a slow machine gets fewer requests, not later ones
IMPORT_EVERY_SECONDS, IMPORT_ROWS = 40.0, 15
# The weight of each kind of write.
MIX = {
    "change": 56,
    "change if unchanged": 14,
    "register": 10,
    "archive": 4,
    "restore": 5,
    "sql change": 6,
    "sql register": 2,
    "sql change, rolled back": 3,
}


class Load:
    """Runs from `start` to `stop`. A write is left out if all workers wait for answers."""

    def __init__(self, system: System, history: History, *, seed: int, folder: Path) -> None:
        self._system, self._history, self._folder = system, history, folder
        self._dice = random.Random(seed)
        self.api = Api(
            system.address,
            email="frontdesk@demo.example",
            password=system.environment["DEMO_PASSWORD"],
        )
        self._sql = Sql(system)
        self.patients: list[str] = []
        self._versions: dict[str, int] = {}
        self._archived: list[str] = []
        self._pool = ThreadPoolExecutor(WORKERS, "client")
        self._free = threading.Semaphore(WORKERS)
        self._stopping = threading.Event()
        self._threads = [
            threading.Thread(target=target, name=target.__name__)
            for target in (self._pace, self._import)
        ]
        self._writers: dict[str, Callable[[Operation], None]] = {
            "change": self._change,
            "change if unchanged": self._change,
            "register": self._register,
            "archive": self._archive,
            "restore": self._restore,
            "sql change": self._sql.change,
            "sql register": self._sql.register,
            "sql change, rolled back": self._sql.change_and_roll_back,
        }
        self.left_out = 0

    def populate(self) -> None:
        """Imports the first patients by the command."""
        import_people(self._system, self._history, self._folder, count=PATIENTS)
        with self._system.connect("portal") as connection, connection.cursor() as cursor:
            cursor.execute(
                "SELECT id::text, version FROM patients_patient"
                " WHERE address_line2 <> '' ORDER BY id"
            )
            self._versions = dict(cursor.fetchall())
        connection.close()
        self.patients = list(self._versions)

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Returns when every request has ended."""
        self._stopping.set()
        for thread in self._threads:
            if thread.ident is not None:
                thread.join()
        self._pool.shutdown()
        self.api.close()

    def _pace(self) -> None:
        due = time.monotonic()
        while not self._stopping.is_set():
            due = max(due + 1 / WRITES_PER_SECOND, time.monotonic() - 1)
            self._stopping.wait(max(0.0, due - time.monotonic()))
            kind = self._dice.choices(list(MIX), list(MIX.values()))[0]
            patient = self._pick(kind)
            if not self._free.acquire(blocking=False):
                self.left_out += 1
                continue
            self._pool.submit(self._do, self._history.new(kind, patient=patient))

    def _import(self) -> None:
        while not self._stopping.wait(IMPORT_EVERY_SECONDS):
            import_people(self._system, self._history, self._folder, count=IMPORT_ROWS)

    def _pick(self, kind: str) -> str:
        if "register" in kind:
            return ""
        if kind == "restore" and self._archived:
            return self._archived.pop(0)
        is_hot = self._dice.random() < HOT_SHARE
        return self._dice.choice(self.patients[:HOT] if is_hot else self.patients[HOT:])

    def _do(self, operation: Operation) -> None:
        try:
            with self._history.under_way(operation):
                self._writers[operation.kind](operation)
        finally:
            self._free.release()

    def _register(self, operation: Operation) -> None:
        body = {**person(operation), "addressLine2": operation.mark}
        headers = {"Idempotency-Key": operation.request_id}
        answer = self.api.ask_until_final(
            operation, "POST", "/api/patients", json=body, headers=headers
        )
        if answer is not None and operation.outcome is Outcome.OK:
            operation.patient, operation.version = answer.json()["id"], answer.json()["version"]
            self._versions[operation.patient] = answer.json()["version"]
            self.patients.append(operation.patient)

    def _change(self, operation: Operation) -> None:
        headers = {}
        if operation.kind == "change if unchanged":
            operation.expected_version = self._versions[operation.patient]
            headers["If-Match"] = f'"{operation.expected_version}"'
        self._patch(operation, {"addressLine2": operation.mark}, headers)

    def _restore(self, operation: Operation) -> None:
        self._patch(operation, {"status": "active"}, {})

    def _patch(self, operation: Operation, body: dict[str, str], headers: dict[str, str]) -> None:
        place = f"/api/patients/{operation.patient}"
        answer = self.api.ask(operation, "PATCH", place, json=body, headers=headers)
        if answer is not None and operation.outcome is Outcome.OK:
            operation.version = self._versions[operation.patient] = answer.json()["version"]
        elif answer is not None and answer.status_code == 412:
            self._versions[operation.patient] = answer.json().get(
                "version", operation.expected_version
            )

    def _archive(self, operation: Operation) -> None:
        self.api.ask(operation, "DELETE", f"/api/patients/{operation.patient}")
        self._archived.append(operation.patient)
