"""`python -m embedded run -- COMMAND` runs a command on its own servers, or on those of the run in
progress."""

import os
import signal
import subprocess
import sys

import psycopg2
import pytest

from embedded.environment import ROOT
from embedded.run import show_users
from embedded.secrets import read_variables
from embedded.stale_runs import lock_folder
from tests.run_processes import find_processes
from tests.waits import has_ended, wait_for

WAIT = "import signal; print('ready', flush=True); signal.pause()"


@pytest.fixture
def embedded(short_tmp_path):
    """Starts `python -m embedded run` on a folder; ends what is still alive afterwards."""
    started = []

    def embedded(*command, data=short_tmp_path / "run"):
        arguments = ["--", *command] if command else []
        process = subprocess.Popen(
            [sys.executable, "-m", "embedded", "run", "--data", str(data), *arguments],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        return process

    yield embedded
    for process in started:
        if process.poll() is None:
            process.terminate()
        process.communicate(timeout=60)
    subprocess.run(
        [sys.executable, "-m", "embedded", "clean", "--data", str(short_tmp_path / "run")],
        cwd=ROOT,
        check=True,
    )


def python(code):
    return sys.executable, "-c", code


def sql(statement):
    return python(
        "import os, psycopg2; connection = psycopg2.connect(os.environ['DATABASE_URL']);"
        "connection.autocommit = True; cursor = connection.cursor();"
        f"cursor.execute({statement!r}); print(cursor.fetchone())"
    )


def postmaster(data):
    return int((data / "postgres" / "postmaster.pid").read_text().split()[0])


def test_the_exit_code_is_that_of_the_command(embedded):
    process = embedded(*python("raise SystemExit(7)"))
    process.communicate()
    assert process.returncode == 7


def test_what_was_stored_is_there_the_next_time(embedded):
    embedded(*sql("CREATE TABLE kept AS SELECT 7 AS number; SELECT 1")).communicate()
    assert "(7,)" in embedded(*sql("SELECT number FROM kept")).communicate()[0]


def test_every_server_is_gone_afterwards(embedded, short_tmp_path):
    process = embedded(*python(WAIT))
    process.stdout.readline()
    pids = [postmaster(short_tmp_path / "run")]
    process.send_signal(signal.SIGTERM)
    process.communicate()
    assert process.returncode == 128 + signal.SIGTERM
    assert all(has_ended(pid) for pid in pids)


def test_a_second_command_joins_the_run_in_progress(embedded, short_tmp_path):
    first = embedded(*python(WAIT))
    first.stdout.readline()
    before = postmaster(short_tmp_path / "run")
    assert "(1,)" in embedded(*sql("SELECT 1")).communicate()[0]
    assert postmaster(short_tmp_path / "run") == before
    assert first.poll() is None


def test_another_shell_sees_what_the_shell_of_the_run_set(embedded, short_tmp_path, monkeypatch):
    monkeypatch.setenv("TIME_ZONE", "Pacific/Auckland")
    monkeypatch.setenv("CLINIC_NAME", "Clinic of the South")
    monkeypatch.setenv("NOT_OF_THE_PROJECT", "kept out")
    embedded(*python(WAIT)).stdout.readline()
    written = read_variables(short_tmp_path / "run" / "run.env")
    assert written["TIME_ZONE"] == "Pacific/Auckland"
    assert written["CLINIC_NAME"] == "Clinic of the South"
    assert "NOT_OF_THE_PROJECT" not in written


def test_the_users_are_printed_again(embedded, short_tmp_path, capfd):
    assert show_users(short_tmp_path / "run") == 1
    embedded(*python(WAIT)).stdout.readline()
    password = read_variables(short_tmp_path / "run" / "run.env")["DEMO_PASSWORD"]
    capfd.readouterr()
    assert show_users(short_tmp_path / "run") == 0
    printed = capfd.readouterr().out
    assert "frontdesk@demo.example" in printed
    assert password in printed


def test_a_second_portal_on_the_same_folder_is_refused(embedded, short_tmp_path):
    embedded(*python(WAIT)).stdout.readline()
    second = embedded()
    _, errors = second.communicate()
    assert second.returncode == 1
    assert f"Another run uses {short_tmp_path / 'run'}" in errors


def test_a_run_after_a_killed_one_ends_what_was_left_and_finds_the_data(embedded, short_tmp_path):
    embedded(*sql("CREATE TABLE kept AS SELECT 7 AS number; SELECT 1")).communicate()
    killed = embedded(*python("import os, signal; print(os.getpid(), flush=True); signal.pause()"))
    orphan, server = int(killed.stdout.readline()), postmaster(short_tmp_path / "run")
    killed.kill()
    killed.wait()
    assert not has_ended(orphan)
    assert not has_ended(server)
    assert "(7,)" in embedded(*sql("SELECT number FROM kept")).communicate()[0]
    assert has_ended(orphan)
    assert has_ended(server)


def test_the_addresses_are_in_a_file_for_its_owner_while_it_runs(embedded, short_tmp_path):
    file = short_tmp_path / "run" / "run.env"
    process = embedded(*python(WAIT))
    process.stdout.readline()
    psycopg2.connect(read_variables(file)["BILLING_DATABASE_URL"]).close()
    assert oct(file.stat().st_mode)[-3:] == "600"
    process.terminate()
    wait_for(lambda: not file.exists())


def test_an_unknown_kafka_is_refused_by_name(embedded, monkeypatch):
    monkeypatch.setenv("KAFKA", "franz")
    process = embedded(*python("pass"))
    assert "KAFKA=franz" in process.communicate()[1]
    assert process.returncode == 1


def test_no_secret_is_among_the_arguments_of_a_server(embedded, short_tmp_path):
    process = embedded(*python(WAIT))
    process.stdout.readline()
    secrets = read_variables(short_tmp_path / "run" / "secrets.env").values()
    shown = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout
    assert not [secret for secret in secrets if secret in shown]
    assert os.environ["DATABASE_URL"] not in shown


def test_a_killed_server_is_there_again_for_the_command(embedded, short_tmp_path):
    first = embedded(*python(WAIT))
    first.stdout.readline()
    killed = postmaster(short_tmp_path / "run")
    os.kill(killed, signal.SIGKILL)
    wait_for(lambda: find_processes(short_tmp_path / "run", "bin/postgres") and has_ended(killed))
    wait_for(lambda: "(1,)" in embedded(*sql("SELECT 1")).communicate()[0])


def test_nothing_is_left_when_the_servers_were_killed_before_the_end(embedded, short_tmp_path):
    process = embedded(*python(WAIT))
    process.stdout.readline()
    for words in ("bin/postgres", "valkey-server", "embedded.broker"):
        find_processes(short_tmp_path / "run", words)[0].kill()
    process.send_signal(signal.SIGTERM)
    process.communicate()
    assert not find_processes(short_tmp_path / "run")


# Gets SIGTERM when its command has just been started, before it can do anything else.
TERMINATED_EARLY = """
import os, signal, subprocess, sys
from embedded.__main__ import main
class Terminated(subprocess.Popen):
    def __init__(self, *arguments, **options):
        super().__init__(*arguments, **options)
        os.kill(os.getpid(), signal.SIGTERM)
subprocess.Popen = Terminated
sys.exit(main(["run", "--data", sys.argv[1], "--", "sleep", "60"]))
"""


def test_a_joined_command_that_is_terminated_at_its_start_ends(tmp_path):
    (tmp_path / "run.env").write_text("")
    with lock_folder(tmp_path):
        command = [sys.executable, "-c", TERMINATED_EARLY, str(tmp_path)]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 128 + signal.SIGTERM, done.stderr
