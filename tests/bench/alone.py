"""PostgreSQL alone: pgbench runs the statements of a row on a copy of the portal's database.

Reads write their access record; a registration has its lock, duplicate check, identifier and
account row, and the triggers write log, words and outbox. There is no web server and no relay.
"""

import math
import os
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

from embedded.initdb import binary
from tests.bench.filling import session
from tests.bench.percentiles import percentile
from tests.bench.product import Product
from tests.bench.search_statements import capture_searches

LONGEST_SECONDS = 10.0  # On a machine so busy that no transaction ended before.
SCRIPTS = Path(__file__).with_name("pgbench")  # One file for each row, by its name.
SAMPLE = """
    CREATE TABLE IF NOT EXISTS bench_sample AS
    SELECT row_number() OVER ()::int AS n, id, sort_key FROM (
        SELECT id, sort_key FROM patients_patient
        WHERE status = 'active' ORDER BY md5(mrn) LIMIT 5000) AS drawn;
    CREATE UNIQUE INDEX IF NOT EXISTS bench_sample_n ON bench_sample (n);
    ANALYZE bench_sample;
    SELECT count(*), (SELECT min(id) FROM accounts_user) FROM bench_sample;
"""


@dataclass
class Alone:
    """The database `alone`, which nobody else uses."""

    product: Product
    url: str = ""
    sizes: list[str] = field(default_factory=list)
    _searches: dict[str, list[Path]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.url = self.product.postgres.url("alone")
        with session(self.url) as cursor:
            cursor.execute(SAMPLE)
            count, user = cursor.fetchone()
        self.sizes = ["-D", f"count={count}", "-D", f"user={user}"]

    def scripts_of(self, row: str) -> list[Path]:
        """Returns the scripts of the row, of which each transaction takes one; none: not here."""
        if row.startswith("search: "):
            return self._searches.get(row.removeprefix("search: "), [])
        file = SCRIPTS / f"{row.replace(',', '').replace(' ', '_')}.sql"
        return [file] if file.exists() else []

    def capture(self, kinds: list[str]) -> None:
        """Writes a script of each search, made of the statements that the portal sends."""
        folder = self.product.system.data / "searches"
        self._searches = capture_searches(self.product.system, folder, kinds)

    def run(self, row: str, *, seconds: float, clients: int) -> tuple[float, list[float], int]:
        """Returns transactions a second, milliseconds at 50, 95 and 99 %, and their number."""
        scripts = self.scripts_of(row)
        folder = self.product.system.data / "pgbench"
        folder.mkdir(exist_ok=True)
        for old in folder.iterdir():
            old.unlink()
        # Texts that a search was given stand in its statements, and may look like variables.
        mode = "simple" if len(scripts) > 1 else "prepared"
        command = [binary("pgbench"), "-n", "-M", mode, "-c", str(clients), "-j", "1"]
        command += ["-T", str(max(1, math.ceil(seconds))), "-l", "--log-prefix", folder / "log"]
        for script in scripts:
            command += ["-f", script]
        done = subprocess.run(
            [*command, *self.sizes, self.url],
            env={**os.environ, "PGAPPNAME": "bench"},
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise RuntimeError(f"pgbench, {row}: {done.stderr[-1000:]}")
        rates = [line.split()[2] for line in done.stdout.splitlines() if line.startswith("tps")]
        if not rates and seconds < LONGEST_SECONDS:
            return self.run(row, seconds=LONGEST_SECONDS, clients=clients)
        lines = [line for file in folder.iterdir() for line in file.read_text().splitlines()]
        times = [int(line.split()[2]) / 1000 for line in lines]
        percentiles = [percentile(times, percent) for percent in (50, 95, 99)]
        return float(rates[0]), percentiles, len(times)
