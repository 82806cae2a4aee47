"""The other rows: start, memory, files, the chain behind a commit, and the desk."""

import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

import httpx

from portal.errors import camel
from tests.bench import usage
from tests.bench.desk import TIERS, run_desk
from tests.bench.filling import session
from tests.bench.load import WrongAnswer, run_load
from tests.bench.measure import Measured
from tests.bench.options import Options
from tests.bench.people import write_fhir_lines, write_people
from tests.bench.percentiles import percentile
from tests.bench.rows import Asked, gets, registrations, sign_ins
from tests.bench.sample import new_people
from tests.end_to_end.system import System
from tests.waits import wait_for

CHAIN_SECONDS = 3_600  # The longest wait until everything is counted.
EXPORT_SECONDS = 40  # Longest time of the export.
LEAST_FILE, LARGEST_FILE = 1_000, 20_000  # Rows of an imported file: a fiftieth of all patients.
REJECTS = 1  # The exit code of an import that refused rows: people of one name and birth date.
COMMITS, FEW_COMMITS = 100, 15
_ADD = """
    WITH added AS (
        INSERT INTO patients_patient (family_name, given_name, date_of_birth, sex, email)
        SELECT 'Chain' || n, 'Person', date '1930-01-01' + n %% 30000, 'female',
            'chain' || n || '@mail.example'
        FROM generate_series(1, %s) AS n RETURNING id)
    INSERT INTO billing_billingaccount (patient_id, wanted_version, next_attempt_at)
    SELECT id, 1, {due} FROM added
"""
CHAIN, ADD_WITHOUT_BILLING = _ADD.format(due="now()"), _ADD.format(due="NULL")
TELL_BILLING = """
    UPDATE billing_billingaccount SET next_attempt_at = now()
    WHERE status = 'pending' AND next_attempt_at IS NULL
"""
# Many waves of each part, and they fit into the embedded broker's window while nobody reads.
STAGE_EVENTS, STAGE_ROUNDS = 7_000, 5


@dataclass(frozen=True)
class Figure:
    """A line of the table with one value, or with the times of a measurement."""

    name: str
    value: str
    measured: Measured | None = None


Part = Callable[[], Iterator[Figure]]


@dataclass
class Single:
    """Measures these rows, in parts that yield a line each as soon as it is known."""

    asked: Asked
    options: Options

    @property
    def system(self) -> System:
        return self.asked.product.system

    def before_load(self) -> list[Part]:
        return self._wanted({"start": self.start, "memory": self.memory_at_rest})

    def after_load(self) -> list[Part]:
        return self._wanted(
            {
                "memory": self.memory_under_load,
                "import": self.imports,
                "export": self.export,
                "chain": self.chain,
                "stages": self.stages,
                "commit to figure": self.commits,
                "desk": self.desks,
            }
        )

    def start(self) -> Iterator[Figure]:
        yield Figure("start to ready", f"{self.asked.product.ready_seconds:.1f} s")

    def memory_at_rest(self) -> Iterator[Figure]:
        self.asked.product.wait_until_quiet(seconds=60)
        yield Figure("memory at rest, all processes", f"{self._memory():,.0f} MB")

    def memory_under_load(self) -> Iterator[Figure]:
        product, count = self.asked.product, max(self.options.connections)
        for what, sources in {"get and register": _mixed, "sign in": sign_ins}.items():
            peak = 0.0
            with in_background(product.port, sources(self.asked, count), CHAIN_SECONDS):
                for _ in range(10):
                    peak = max(peak, self._memory())
                    time.sleep(self.options.seconds / 5)
            yield Figure(f"memory while {count} {what}, all processes", f"{peak:,.0f} MB")

    def imports(self) -> Iterator[Figure]:
        count = self._file_rows()
        for kind, write in {"csv": write_people, "ndjson": write_fhir_lines}.items():
            file = self.system.data / f"people.{kind}"
            write(file, count, are_common=True)
            self.asked.product.wait_until_quiet(seconds=60)
            began = time.monotonic()
            done = self.system.command(
                "import_patients", str(file), "--rejects", str(file.with_suffix(".rejects"))
            )
            committed = time.monotonic() - began
            if done.returncode > REJECTS:
                raise RuntimeError(done.stdout + done.stderr)
            self._wait_until_settled()
            settled = time.monotonic() - began
            name = f"import {kind.upper()}"
            yield Figure(f"{name} committed, {count:,} rows", f"{count / committed:,.0f} rows/s")
            yield Figure(f"{name} settled, {count:,} rows", f"{count / settled:,.0f} rows/s")

    def export(self) -> Iterator[Figure]:
        """Counts what an export writes in EXPORT_SECONDS: a million takes many minutes."""
        file, began = self.system.data / "export.csv", time.monotonic()
        with file.open("wb") as output, suppress(subprocess.TimeoutExpired):
            done = self.system.command(
                "export_patients", stdout=output, timeout=EXPORT_SECONDS, capture_output=False
            )
            done.check_returncode()
        seconds = time.monotonic() - began
        with file.open("rb") as lines:
            count = sum(1 for _ in lines) - 1
        yield Figure("export CSV", f"{count / seconds:,.0f} rows/s")

    def chain(self) -> Iterator[Figure]:
        """Commits many patients at once by SQL, and looks when each part is done with them."""
        count, before = self._file_rows(), self._counted()
        self.asked.product.wait_until_quiet(seconds=60)
        with session(self._url("portal")) as cursor:
            cursor.execute(CHAIN, [count])
        began = time.monotonic()
        left: dict[str, Callable[[], bool]] = {
            "relay, events": lambda: not self._waiting("patients_eventoutbox"),
            "analytics, events": lambda: self._counted() >= before + count,
            "billing, accounts": lambda: not self._waiting(*DUE),
        }
        while left:
            for name in [name for name, is_done in left.items() if is_done()]:
                del left[name]
                seconds = time.monotonic() - began
                yield Figure(f"chain: {name}", f"{count / seconds:,.0f}/s")
            time.sleep(0.02)
            if time.monotonic() - began > CHAIN_SECONDS:
                raise RuntimeError(f"Not done: {', '.join(left)}")

    def stages(self) -> Iterator[Figure]:
        """Measures relay, analytics and billing one after the other, each with all the machine."""
        relay, analytics, billing = Pace(), Pace(), Pace()
        with (
            session(self._url("portal")) as portal,
            session(self._url("analytics")) as figures,
        ):
            for _ in range(STAGE_ROUNDS):
                self.asked.product.wait_until_quiet(seconds=60)
                goal = number_of(figures, *COUNTED) + STAGE_EVENTS
                with self.system.without("analytics_stream"):
                    portal.execute(ADD_WITHOUT_BILLING, [STAGE_EVENTS])
                    relay.add(lambda: number_of(portal, "count(*)", "patients_eventoutbox"))
                analytics.add(lambda: goal - number_of(figures, *COUNTED))  # noqa: B023 - used here.
                self.asked.product.wait_until_quiet(seconds=60)
                portal.execute(TELL_BILLING)
                billing.add(lambda: number_of(portal, "count(*)", *DUE))
        yield Figure("relay alone, events", f"{relay.rate:,.0f}/s")
        yield Figure("analytics alone, events", f"{analytics.rate:,.0f}/s")
        yield Figure("billing alone, accounts", f"{billing.rate:,.0f}/s")

    def commits(self) -> Iterator[Figure]:
        product, count = self.asked.product, max(self.options.connections)
        yield Figure("commit to figure, at rest", "", self._commit_times())
        sources = registrations(self.asked, count)
        with in_background(product.port, sources, CHAIN_SECONDS):
            measured = self._commit_times()
        yield Figure(f"commit to figure, while {count} register", "", measured)

    def desks(self) -> Iterator[Figure]:
        tiers, seconds = ((64,), 6.0) if self.options.is_quick else (TIERS, 30.0)
        product = self.asked.product
        cookies = product.cookies(max(tiers))
        for tier in tiers:
            shift = run_desk(product, cookies[:tier], self.asked.patients, seconds=seconds)
            for step, times in sorted(shift.times.items()):
                measured = measured_of(times, seconds)
                yield Figure(f"desk of {tier}: {step}", "", measured)
            if shift.refused:
                yield Figure(f"desk of {tier}: refused", f"{len(shift.refused)}")
                print(shift.refused[0])

    def _commit_times(self) -> Measured:
        """Registers one by one, and waits until analytics has counted each."""
        [bearer] = self.asked.product.bearers(1)
        headers = dict([bearer.split(": ", 1)])
        base = f"http://{self.asked.product.host}"
        times, people = [], new_people(next(self.asked.seeds))
        began = time.monotonic()
        with (
            httpx.Client(base_url=base, headers=headers, trust_env=False, timeout=60) as client,
            session(self._url("analytics")) as cursor,
        ):
            for _ in range(FEW_COMMITS if self.options.is_quick else COMMITS):
                body = {camel(name): value for name, value in next(people).items()}
                patient = client.post("/api/patients", json=body).raise_for_status().json()["id"]
                times.append(_seconds_until_counted(cursor, patient))
        return measured_of(times, time.monotonic() - began)

    def _wanted(self, parts: dict[str, Part]) -> list[Part]:
        return [part for name, part in parts.items() if self.options.wants(name)]

    def _file_rows(self) -> int:
        return min(LARGEST_FILE, max(LEAST_FILE, self.options.rows // 50))

    def _memory(self) -> float:
        return usage.memory_of([self.asked.product.root])

    def _counted(self) -> int:
        with session(self._url("analytics")) as cursor:
            return number_of(cursor, *COUNTED)

    def _waiting(self, table: str, condition: str = "true") -> bool:
        with session(self._url("portal")) as cursor:
            cursor.execute(f"SELECT EXISTS (SELECT FROM {table} WHERE {condition})")
            return cursor.fetchone()[0]

    def _wait_until_settled(self) -> None:
        """Waits until every event is counted and every account is there."""
        with session(self._url("portal")) as cursor:
            cursor.execute("SELECT count(*) FROM patients_patientevent")
            [events] = cursor.fetchone()
        wait_for(lambda: self._counted() >= events, seconds=CHAIN_SECONDS, pause=0.05)
        wait_for(lambda: not self._waiting(*DUE), seconds=CHAIN_SECONDS, pause=0.05)

    def _url(self, name: str) -> str:
        return self.asked.product.postgres.url(name)


DUE = ("billing_billingaccount", "next_attempt_at IS NOT NULL")
COUNTED = ("count", "figure", "name = 'events'")


@contextmanager
def in_background(port: int, sources: list, seconds: float) -> Iterator[None]:
    """Runs a load in a thread for the block, at most for `seconds`."""
    stop, failures = threading.Event(), []

    def run() -> None:
        try:
            run_load(port, sources, seconds=seconds, stop=stop)
        except WrongAnswer as error:
            failures.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
    if failures:
        raise failures[0]


class Pace:
    """How fast a part works off what waits, over several rounds."""

    def __init__(self) -> None:
        self._count, self._seconds = 0, 0.0

    def add(self, left: Callable[[], int]) -> None:
        """Measures from the first look that finds the work begun until nothing is left.

        How long a part takes to notice its work is measured by "commit to figure".
        """
        first = left()
        begun = first - wait_for(lambda: first - left(), seconds=CHAIN_SECONDS, pause=0.005)
        began = time.monotonic()
        wait_for(lambda: left() <= 0, seconds=CHAIN_SECONDS, pause=0.005)
        self._count += begun
        self._seconds += time.monotonic() - began

    @property
    def rate(self) -> float:
        return self._count / self._seconds


def number_of(cursor: Any, number: str, table: str, condition: str = "true") -> int:
    cursor.execute(f"SELECT {number} FROM {table} WHERE {condition}")
    return cursor.fetchone()[0]


def measured_of(times: list[float], seconds: float) -> Measured:
    p50, p95, p99 = (percentile(times, percent) * 1000 for percent in (50, 95, 99))
    return Measured(len(times) / seconds, p50, p95, p99)


def _seconds_until_counted(cursor, patient: str) -> float:
    began = time.monotonic()
    while True:
        cursor.execute("SELECT FROM patient_state WHERE patient_id = %s", [patient])
        if cursor.rowcount:
            return time.monotonic() - began
        if time.monotonic() - began > CHAIN_SECONDS:
            raise RuntimeError("The event of a registration was not counted.")
        time.sleep(0.004)


def _mixed(asked: Asked, count: int) -> list:
    half = count // 2
    return [*gets(asked, half), *registrations(asked, count - half)]
