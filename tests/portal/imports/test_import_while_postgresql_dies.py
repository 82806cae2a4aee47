"""P4: PostgreSQL is stopped or killed during an import; no patient is lost or registered twice."""

import os
import secrets
import signal
import tempfile
from contextlib import closing
from pathlib import Path

import psycopg2
import pytest
from django.core.files.base import ContentFile

from embedded.postgres import postgres
from portal.imports import services
from tests.portal.imports.files import REFUSED, as_csv, known_people, mixed_rows
from tests.portal.imports.import_process import COMMAND, ImportProcess
from tests.portal.imports.snapshots import job_snapshot
from tests.waits import wait_for

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(600)]
PRINT_SNAPSHOT = """
import django; django.setup()
from portal.imports.models import ImportJob
from tests.portal.imports.snapshots import job_snapshot
print(job_snapshot(ImportJob.objects.get(original_name="rows.csv")))
"""


@pytest.fixture
def server_folder():
    with tempfile.TemporaryDirectory(prefix="dying-", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o711)  # As root, PostgreSQL runs under another account and has to pass.
        yield Path(folder)


def query(url: str, statement: str) -> int:
    with closing(psycopg2.connect(url)) as session, session, session.cursor() as cursor:
        cursor.execute(statement)
        return cursor.fetchone()[0] if cursor.description else 0


def undisturbed_snapshot(tmp_path, settings) -> str:
    """Returns the snapshot of the same file, imported into the test's own database."""
    settings.DATA_DIR = tmp_path / "quiet"
    for name, people in (("known.csv", known_people()), ("rows.csv", mixed_rows())):
        job = services.start_import(ContentFile(as_csv(*people).encode(), name), by=None)
        services.run_job(job.pk)
    return str(job_snapshot(job)) + "\n"


def test_an_import_survives_the_end_of_postgresql(server_folder, tmp_path, settings):
    data, password = server_folder / "data", secrets.token_hex(16)
    for name, people in (("known.csv", known_people()), ("rows.csv", mixed_rows())):
        (tmp_path / name).write_text(as_csv(*people))
    with postgres(data, password=password, throw_away=True) as server:
        url = server.give_database("portal", user="portal", password=secrets.token_hex(16))
        assert ImportProcess(tmp_path, (COMMAND[0], "migrate", "-v0"), url).run().code == 0
        assert ImportProcess(tmp_path, (*COMMAND, "known.csv"), url).run().code == 0

    command = ImportProcess(tmp_path, (*COMMAND, "rows.csv"), url)
    # SIGQUIT is `pg_ctl stop -m immediate`.
    for signal_sent, rows in ((signal.SIGQUIT, 100), (signal.SIGKILL, 400)):
        with postgres(data, password=password, throw_away=True) as server:
            query(url, "UPDATE imports_importjob SET leased_until = now() - interval '1 second'")
            with command.start() as process:
                wait_for(
                    lambda goal=rows: (
                        query(url, "SELECT max(last_row) FROM imports_importjob") >= goal
                    ),
                    seconds=240,
                )
                os.kill(server.pid, signal_sent)
                out, err = process.communicate(timeout=240)
        assert (process.returncode, out) == (3, "")
        assert "run the same command again" in err
        assert "Traceback" not in err

    with postgres(data, password=password, throw_away=True):
        query(url, "UPDATE imports_importjob SET leased_until = now() - interval '1 second'")
        result = command.run()
        assert (result.code, result.report["rejected"]) == (1, REFUSED)
        assert ImportProcess(
            tmp_path, ("-c", PRINT_SNAPSHOT), url
        ).run().out == undisturbed_snapshot(tmp_path, settings)
