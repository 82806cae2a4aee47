"""P4: an import or its undoing is killed with -9 again and again, and comes to the same end as if nobody had.

The moments are drawn by seed: after so many rows wherever it then is, and in the open transaction of a batch, in front
of any of the tables that it writes. `KILLS=15` kills more often. Planted faults that make these red: progress kept
outside of the batch's transaction, and `take_up_unfinished` that finds nothing.
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
from tests.portal.imports.import_process import (
    COMMAND,
    TABLES,
    UNDOING,
    WORKER,
    Ended,
    ImportProcess,
    hanging,
    kill,
)
from tests.portal.imports.files import EVERY, KILLS, REFUSED, as_csv, known_people, mixed_rows
from tests.portal.imports.snapshots import end_of
from tests.waits import wait_for

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(600)]


@pytest.fixture
def job_of(tmp_path, settings) -> Callable[[], ImportJob]:
    """A fresh start: the patients that are known before, and the file; answers the waiting job."""
    settings.DATA_DIR = tmp_path / "data"
    (tmp_path / "rows.csv").write_text(as_csv(*mixed_rows()))

    def start() -> ImportJob:
        wipe()
        known = services.start_import(
            ContentFile(as_csv(*known_people()).encode(), "known.csv"), by=None
        )
        services.run_job(known.pk)
        return services.start_import(
            ContentFile((tmp_path / "rows.csv").read_bytes(), "rows.csv"), by=None
        )

    return start


def wipe() -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"TRUNCATE {', '.join(TABLES)} CASCADE")


def forget(job: ImportJob) -> None:
    """For the command, which makes its own."""
    job.path.unlink()
    job.delete()


def lease_runs_out() -> None:
    """What 20 seconds do."""
    ImportJob.objects.filter(lease__isnull=False).update(
        leased_until=timezone.now() - timedelta(seconds=1)
    )


def killed_again_and_again(
    channel: ImportProcess, *, seed: int, tables: tuple[str, ...], done: Callable[[], int]
) -> Ended:
    """Started and killed KILLS times at moments drawn by `seed`, mostly in front of a table; then left alone."""
    dice = random.Random(seed)
    moments = dice.sample([*tables, "", ""] * KILLS, KILLS)
    for table in moments:
        enough = done() + dice.randrange(1, EVERY)
        with channel.start() as process:
            try:
                at = table or "imports_importjob"  # Every batch ends with it.
                with hanging(
                    process, at=at, url=channel.url, enough=lambda goal=enough: done() >= goal
                ) as hangs:
                    assert hangs, f"it ended before {at}: {process.communicate()}"
                    if table:
                        kill(process)
            finally:  # Let go, it is killed wherever it then is.
                kill(process)
        lease_runs_out()
    return channel.run()


def last_row() -> int:
    return ImportJob.objects.latest("created_at").last_row


def test_the_command_killed_again_and_again_comes_to_the_same_end(job_of, tmp_path):
    forget(job_of())
    undisturbed = ImportProcess(tmp_path, (*COMMAND, "rows.csv", "--rejects=undisturbed.csv")).run()
    expected = end_of(ImportJob.objects.get(pk=undisturbed.report["job"]))
    assert expected["job"]["rejected_count"] == REFUSED
    forget(job_of())

    channel = ImportProcess(tmp_path, (*COMMAND, "rows.csv", "--rejects=killed.csv"))
    ended = killed_again_and_again(channel, seed=1, tables=TABLES, done=last_row)

    assert (ended.code, undisturbed.code) == (1, 1)
    told = {"job", "seconds", "rowsPerSecond", "rejectsFile"}
    assert {**ended.report, **dict.fromkeys(told)} == {**undisturbed.report, **dict.fromkeys(told)}
    assert (tmp_path / "killed.csv").read_bytes() == (tmp_path / "undisturbed.csv").read_bytes()
    assert ImportJob.objects.count() == 2  # The known people, and one job for all starts.
    assert end_of(ImportJob.objects.latest("created_at")) == expected
    assert "did not end" in ended.words


def test_a_worker_killed_again_and_again_comes_to_the_same_end(job_of, tmp_path):
    job = job_of()
    services.run_job(job.pk)
    expected = end_of(job)
    job = job_of()
    killed_again_and_again(
        ImportProcess(tmp_path, (*WORKER, str(job.pk))), seed=2, tables=TABLES, done=last_row
    )
    assert end_of(job) == expected


def test_an_undo_killed_again_and_again_comes_to_the_same_end(job_of, tmp_path):
    def imported() -> ImportJob:
        job = job_of()
        services.run_job(job.pk)
        return job

    job = imported()
    services.undo_import(job.pk, by=None)
    expected = end_of(job)
    assert expected["job"]["undo_archived_count"] > KILLS * 100
    job = imported()

    def undone() -> int:
        return ImportJob.objects.get(pk=job.pk).undone_count

    tables = tuple(one for one in TABLES if one != "imports_importreject")
    ended = killed_again_and_again(
        ImportProcess(tmp_path, (*UNDOING, f"--undo={job.pk}")), seed=3, tables=tables, done=undone
    )
    assert (ended.code, ended.report["leftAlone"]) == (0, 0)
    assert end_of(job) == expected


def test_a_command_started_again_waits_for_the_lease_of_the_killed_one(job_of, tmp_path):
    forget(job_of())
    channel = ImportProcess(tmp_path, (*COMMAND, "rows.csv"))
    with channel.start() as process:
        wait_for(
            lambda: ImportJob.objects.filter(last_row__gt=0, status="running").exists(), seconds=240
        )
        kill(process)
    before = last_row()
    with channel.start() as process:
        assert "did not end" in process.stderr.readline()
        assert last_row() == before
        lease_runs_out()
        process.communicate(timeout=240)
    job = ImportJob.objects.latest("created_at")
    assert (process.returncode, job.status, ImportJob.objects.count()) == (1, "done", 2)
    assert not list((tmp_path / "data" / "imports").iterdir())
