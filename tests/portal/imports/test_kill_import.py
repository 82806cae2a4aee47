"""P4: an import or its undo that is killed again and again ends as if it had never been killed.

The moments are drawn by seed: after some rows at any place, or in the open transaction of a batch,
before it writes to one of its tables. `KILLS=15` kills more often. Planted bugs that make these
red: progress recorded outside of the batch's transaction, and `hand_over_to_unfinished` that finds
nothing.
"""

import random
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.core.files.base import ContentFile
from django.db import connection
from django.utils import timezone

from portal.imports import services
from portal.imports.models import ImportJob
from tests.portal.imports.files import (
    KILLS,
    REFUSED,
    ROWS_PER_REFUSAL,
    as_csv,
    known_people,
    mixed_rows,
)
from tests.portal.imports.import_process import (
    COMMAND,
    TABLES,
    UNDO,
    WORKER,
    ImportProcess,
    ProcessResult,
    blocked_process,
    kill,
)
from tests.portal.imports.snapshots import job_snapshot
from tests.waits import wait_for

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(600)]


@pytest.fixture
def start_job(tmp_path, settings) -> Callable[[], ImportJob]:
    """Empties the tables, imports the known people and returns the waiting job of the file."""
    settings.DATA_DIR = tmp_path / "data"
    (tmp_path / "rows.csv").write_text(as_csv(*mixed_rows()))

    def start() -> ImportJob:
        empty_tables()
        known = services.start_import(
            ContentFile(as_csv(*known_people()).encode(), "known.csv"), by=None
        )
        services.run_job(known.pk)
        return services.start_import(
            ContentFile((tmp_path / "rows.csv").read_bytes(), "rows.csv"), by=None
        )

    return start


def empty_tables() -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"TRUNCATE {', '.join(TABLES)} CASCADE")


def delete_job(job: ImportJob) -> None:
    """Leaves the start to the command, which makes its own job."""
    job.path.unlink()
    job.delete()


def expire_leases() -> None:
    """Does what 20 seconds do."""
    ImportJob.objects.filter(lease__isnull=False).update(
        leased_until=timezone.now() - timedelta(seconds=1)
    )


def run_and_kill(
    importer: ImportProcess, *, seed: int, tables: tuple[str, ...], count_done: Callable[[], int]
) -> ProcessResult:
    """Kills the process KILLS times at moments drawn by `seed`, mostly before it writes a table.

    Then it may run to its end.
    """
    dice = random.Random(seed)
    moments = dice.sample([*tables, "", ""] * KILLS, KILLS)
    for moment in moments:
        goal = count_done() + dice.randrange(1, ROWS_PER_REFUSAL)
        table = moment or "imports_importjob"  # Every batch ends with this table.
        with importer.start() as process:
            try:
                with blocked_process(
                    process,
                    table=table,
                    url=importer.url,
                    has_done_enough=lambda goal=goal: count_done() >= goal,
                ) as is_blocked:
                    assert is_blocked, f"it ended before {table}: {process.communicate()}"
                    if moment:
                        kill(process)
            finally:  # A process that was not killed yet is killed wherever it is now.
                kill(process)
        expire_leases()
    return importer.run()


def last_row() -> int:
    """Returns how far the last job is."""
    return ImportJob.objects.latest("created_at").last_row


def test_the_command_killed_again_and_again_comes_to_the_same_end(start_job, tmp_path):
    delete_job(start_job())
    undisturbed = ImportProcess(tmp_path, (*COMMAND, "rows.csv", "--rejects=undisturbed.csv")).run()
    expected = job_snapshot(ImportJob.objects.get(pk=undisturbed.report["job"]))
    assert expected["job"]["rejected_count"] == REFUSED
    delete_job(start_job())

    importer = ImportProcess(tmp_path, (*COMMAND, "rows.csv", "--rejects=killed.csv"))
    killed = run_and_kill(importer, seed=1, tables=TABLES, count_done=last_row)

    assert (killed.code, undisturbed.code) == (1, 1)
    blank = dict.fromkeys(["job", "seconds", "rowsPerSecond", "rejectsFile"])
    assert {**killed.report, **blank} == {**undisturbed.report, **blank}
    assert (tmp_path / "killed.csv").read_bytes() == (tmp_path / "undisturbed.csv").read_bytes()
    assert ImportJob.objects.count() == 2  # The known people, and one job for all starts.
    assert job_snapshot(ImportJob.objects.latest("created_at")) == expected
    assert "did not end" in killed.err


def test_a_worker_killed_again_and_again_comes_to_the_same_end(start_job, tmp_path):
    job = start_job()
    services.run_job(job.pk)
    expected = job_snapshot(job)
    job = start_job()
    worker = ImportProcess(tmp_path, (*WORKER, str(job.pk)))
    run_and_kill(worker, seed=2, tables=TABLES, count_done=last_row)
    assert job_snapshot(job) == expected


def test_an_undo_killed_again_and_again_comes_to_the_same_end(start_job, tmp_path):
    def run_import() -> ImportJob:
        job = start_job()
        services.run_job(job.pk)
        return job

    job = run_import()
    services.undo_import(job.pk, by=None)
    expected = job_snapshot(job)
    assert expected["job"]["undo_archived_count"] > KILLS * 100
    job = run_import()

    def count_undone() -> int:
        return ImportJob.objects.get(pk=job.pk).undone_count

    tables = tuple(table for table in TABLES if table != "imports_importreject")
    command = ImportProcess(tmp_path, (*UNDO, f"--undo={job.pk}"))
    killed = run_and_kill(command, seed=3, tables=tables, count_done=count_undone)
    assert (killed.code, killed.report["leftAlone"]) == (0, 0)
    assert job_snapshot(job) == expected


def test_a_command_started_again_waits_for_the_lease_of_the_killed_one(start_job, tmp_path):
    delete_job(start_job())
    command = ImportProcess(tmp_path, (*COMMAND, "rows.csv"))
    with command.start() as process:
        wait_for(
            lambda: ImportJob.objects.filter(last_row__gt=0, status="running").exists(), seconds=240
        )
        kill(process)
    before = last_row()
    with command.start() as process:
        assert "did not end" in process.stderr.readline()
        assert last_row() == before
        expire_leases()
        process.communicate(timeout=240)
    job = ImportJob.objects.latest("created_at")
    assert (process.returncode, job.status, ImportJob.objects.count()) == (1, "done", 2)
    assert not list((tmp_path / "data" / "imports").iterdir())
