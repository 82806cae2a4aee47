"""What imports promise holds for drawn files, and for broken ones.

`make fuzz` draws 20,000 new files; see docs/testing.md. The ordinary tests draw a few hundred,
always the same.
"""

import os
import time
from collections import Counter
from collections.abc import Callable

import pytest
from django.db import connection
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

from tests.fuzz.clinic import register_known_people
from tests.fuzz.drawn_file import DrawnFile
from tests.fuzz.findings import ROOT, Findings
from tests.fuzz.imports import Way, import_checked, state_of_clinic
from tests.fuzz.mutations import broken, broken_parts
from tests.fuzz.resources import bundle_files, ndjson_files
from tests.fuzz.tables import csv_files
from tests.fuzz.watch import peak_megabytes
from tests.fuzz.workbooks import workbook_files

RUNS = int(os.environ.get("FUZZ_RUNS") or 0)  # Of all kinds together; 0 for the ordinary tests.
SEED = int(os.environ.get("FUZZ_SEED") or (time.time() if RUNS else 1))
FILES_PER_VACUUM = 200
FEW = 75  # Files of each kind in the ordinary tests.
FILES = {
    "csv": st.one_of(csv_files(), csv_files(), broken(csv_files())),
    "xlsx": st.one_of(workbook_files(), workbook_files(), broken_parts(), broken(workbook_files())),
    "ndjson": st.one_of(ndjson_files(), ndjson_files(), broken(ndjson_files())),
    "bundle": st.one_of(bundle_files(), bundle_files(), broken(bundle_files())),
}
WAYS = st.builds(
    Way,
    asks=st.booleans(),
    trial_batch=st.sampled_from([1, 2, 3, 500]),
    import_batch=st.sampled_from([1, 2, 3, 500]),
)


# In a long run each import is a transaction of its own, or its dead rows could not be removed.
pytestmark = pytest.mark.django_db(transaction=bool(RUNS))


@pytest.fixture
def clinic(db, settings, tmp_path):
    """A data folder, and people on record."""
    settings.DATA_DIR = tmp_path
    state_of_clinic.cache_clear()
    register_known_people()


@pytest.mark.timeout(12 * 3600)
@pytest.mark.parametrize("kind", FILES)
def test_no_drawn_file_breaks_what_imports_promise(clinic, kind, capsys):
    if RUNS:
        _run_long(kind, RUNS // len(FILES), lambda line: _say(capsys, line))
    else:
        _fuzz(kind, FEW, import_checked)


def _fuzz(kind: str, count: int, check: Callable[[DrawnFile, Way], object]) -> None:
    @seed(SEED)
    @settings(
        max_examples=count,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        print_blob=False,
    )
    @given(FILES[kind], WAYS)
    def run(file: DrawnFile, way: Way) -> None:
        check(file, way)

    run()


def _run_long(kind: str, count: int, say: Callable[[str], None]) -> None:
    """Goes on after a fault, and reports all of them at the end."""
    findings, outcomes = Findings(ROOT / ".run" / "fuzz" / kind), Counter[str]()
    began, longest = time.monotonic(), 0.0

    def check(file: DrawnFile, way: Way) -> None:
        nonlocal longest
        start = time.monotonic()
        try:
            outcomes.update(import_checked(file, way))
        except Exception as error:
            findings.add(file, error, way)
        outcomes["files"] += 1
        longest = max(longest, time.monotonic() - start)
        if outcomes["files"] % FILES_PER_VACUUM == 0:
            _remove_dead_rows()

    _fuzz(kind, count, check)
    seconds = time.monotonic() - began
    figures = ", ".join(f"{count:,} {name}" for name, count in sorted(outcomes.items()))
    say(f"{kind}: {figures}; {seconds:.0f} s, the longest {longest:.1f} s, {peak_megabytes()} MB")
    say(f"{kind}: FUZZ_SEED={SEED}, {sum(findings.counts.values())} faults")
    assert not findings.counts, findings.report()


def _remove_dead_rows() -> None:
    areas = ("patients_", "imports_", "duplicates_", "events_", "billing_", "pghistory_")
    tables = [name for name in connection.introspection.table_names() if name.startswith(areas)]
    with connection.cursor() as cursor:
        cursor.execute(f"VACUUM {', '.join(tables)}")


def _say(capsys: pytest.CaptureFixture[str], line: str) -> None:
    with capsys.disabled():
        print(f"\n{line}", flush=True)
