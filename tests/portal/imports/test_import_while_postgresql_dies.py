"""P4: PostgreSQL is stopped at once, or killed with its children, while a file comes in; nothing is lost or doubled."""

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
from tests.portal.imports.import_process import COMMAND, ImportProcess
from tests.portal.imports.files import REFUSED, as_csv, known_people, mixed_rows
from tests.portal.imports.snapshots import end_of
from tests.waits import wait_for

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(600)]
THE_END = """
import django; django.setup()
from portal.imports.models import ImportJob
from tests.portal.imports.snapshots import end_of
print(end_of(ImportJob.objects.get(original_name="rows.csv")))
"""


@pytest.fixture
def place():
    with tempfile.TemporaryDirectory(prefix="dying-", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o711)  # As root, PostgreSQL runs under another account and has to pass.
        yield Path(folder)


def ask(url: str, statement: str) -> int:
    with closing(psycopg2.connect(url)) as session, session, session.cursor() as cursor:
        cursor.execute(statement)
        return cursor.fetchone()[0] if cursor.description else 0


def undisturbed(tmp_path, settings) -> str:
    """The end of the same file in the test's own database, in words."""
    settings.DATA_DIR = tmp_path / "quiet"
    for name, people in (("known.csv", known_people()), ("rows.csv", mixed_rows())):
        job = services.start_import(ContentFile(as_csv(*people).encode(), name), by=None)
        services.run_job(job.pk)
    return str(end_of(job)) + "\n"


def test_an_import_survives_the_end_of_postgresql(place, tmp_path, settings):
    data, password = place / "data", secrets.token_hex(16)
    for name, people in (("known.csv", known_people()), ("rows.csv", mixed_rows())):
        (tmp_path / name).write_text(as_csv(*people))
    with postgres(data, password=password, throw_away=True) as server:
        url = server.give_database("portal", user="portal", password=secrets.token_hex(16))
        assert ImportProcess(tmp_path, (COMMAND[0], "migrate", "-v0"), url).run().code == 0
        assert ImportProcess(tmp_path, (*COMMAND, "known.csv"), url).run().code == 0

    channel = ImportProcess(tmp_path, (*COMMAND, "rows.csv"), url)
    for end, rows in (
        (signal.SIGQUIT, 100),
        (signal.SIGKILL, 400),
    ):  # SIGQUIT is `pg_ctl stop -m immediate`.
        with postgres(data, password=password, throw_away=True) as server:
            ask(url, "UPDATE imports_importjob SET leased_until = now() - interval '1 second'")
            with channel.start() as process:
                wait_for(
                    lambda goal=rows: (
                        ask(url, "SELECT max(last_row) FROM imports_importjob") >= goal
                    ),
                    seconds=240,
                )
                os.kill(server.pid, end)
                out, words = process.communicate(timeout=240)
        assert (process.returncode, out) == (3, "")
        assert "run the same command again" in words
        assert "Traceback" not in words

    with postgres(data, password=password, throw_away=True):
        ask(url, "UPDATE imports_importjob SET leased_until = now() - interval '1 second'")
        ended = channel.run()
        assert (ended.code, ended.report["rejected"]) == (1, REFUSED)
        assert ImportProcess(tmp_path, ("-c", THE_END), url).run().out == undisturbed(
            tmp_path, settings
        )
