"""The processes of a Procfile are started again when they end."""

import io
import os
import signal
import sys
from contextlib import contextmanager

import pytest

from embedded.processes import Processes
from tests.waits import has_ended, wait_for


@pytest.fixture
def run(tmp_path):
    @contextmanager
    def run(*lines, patience_seconds=20, logs=None):
        (tmp_path / "Procfile").write_text("\n".join(lines))
        output = io.StringIO()
        environment = {**os.environ, "PYTHON": sys.executable, "FOLDER": str(tmp_path)}
        running = Processes(tmp_path / "Procfile", environment, output=output, logs=logs)
        running.start()
        try:
            yield output
        finally:
            running.end(patience_seconds=patience_seconds)

    return run


def number_in(file):
    text = file.read_text() if file.exists() else ""
    return int(text) if text.strip() else None  # A new process empties the file before it writes.


def test_each_line_of_output_names_its_process(run):
    lines = ("web: sh -c 'echo from the first; sleep 60'", "other: echo from the second")
    with run(*lines) as output:
        wait_for(lambda: "web   | from the first" in output.getvalue())
        wait_for(lambda: "other | from the second" in output.getvalue())


def test_a_killed_process_comes_back(run, tmp_path):
    with run("clerk: sh -c 'echo $$ > clerk.pid; exec sleep 60'") as output:
        first = wait_for(lambda: number_in(tmp_path / "clerk.pid"))
        os.kill(first, signal.SIGKILL)
        wait_for(lambda: number_in(tmp_path / "clerk.pid") not in (first, None))
    assert "ended with code -9, starts again in 0.2 s" in output.getvalue()


def test_what_a_killed_process_leaves_behind_is_ended_before_it_comes_back(run, tmp_path):
    with run("clerk: sh -c 'sleep 60 & echo $! > child.pid; echo $$ > clerk.pid; wait'"):
        child = wait_for(lambda: number_in(tmp_path / "child.pid"))
        os.kill(wait_for(lambda: number_in(tmp_path / "clerk.pid")), signal.SIGKILL)
        wait_for(lambda: has_ended(child))


def test_the_end_sends_sigterm_first_so_that_work_can_be_finished(run, tmp_path):
    trap = 'trap "echo done > finished; exit 0" TERM'
    with run(f"clerk: sh -c '{trap}; echo ready; while :; do sleep 0.05; done'") as output:
        wait_for(lambda: "ready" in output.getvalue())
    assert (tmp_path / "finished").exists()


def test_the_end_kills_a_process_that_ignores_sigterm(run, tmp_path):
    deaf = "sh -c 'trap \"\" TERM; echo $$ > deaf.pid; while :; do sleep 1; done'"
    with run(f"deaf: {deaf}", patience_seconds=0.5):
        pid = wait_for(lambda: number_in(tmp_path / "deaf.pid"))
    assert has_ended(pid)


def test_bytes_that_are_no_text_do_not_silence_a_process(run):
    with run(r"clerk: sh -c 'printf \"M\374ller\n\"; echo after; sleep 60'") as output:
        wait_for(lambda: "after" in output.getvalue())


INFO = '{"event": "request", "level": "info", "logger": "portal.middleware"}'
WARNING = '{"event": "billing_away", "level": "warning", "logger": "portal.billing"}'


def test_requests_are_in_a_file_and_warnings_on_the_terminal_too(run, tmp_path):
    (tmp_path / "lines").write_text(f"{INFO}\n{WARNING}\n{INFO}\n{WARNING}\nTraceback: it broke\n")
    logs = tmp_path / "logs"
    with run("web: sh -c 'cat lines; sleep 60'", logs=logs) as output:
        wait_for(lambda: "it broke" in output.getvalue())
    assert output.getvalue().count("billing_away") == 1  # Again after a minute.
    assert "request" not in output.getvalue()
    assert (logs / "web.log").read_text().count(INFO) == 2
    assert (logs / "web.log").read_text().count(WARNING) == 2
    assert logs.stat().st_mode & 0o077 == 0


def test_the_log_of_a_process_does_not_grow_for_ever(run, tmp_path, monkeypatch):
    monkeypatch.setattr("embedded.logs.FILE_BYTES", 10_000)
    logs = tmp_path / "logs"
    with run("web: sh -c 'seq 1 20000; echo \"the end\"; sleep 60'", logs=logs) as output:
        wait_for(lambda: "the end" in output.getvalue())
    assert sorted(file.name for file in logs.iterdir()) == ["web.log", "web.log.1"]
    assert sum(file.stat().st_size for file in logs.iterdir()) <= 20_000


def test_a_log_that_cannot_be_written_holds_nobody_up(run, tmp_path):
    logs = tmp_path / "logs"
    (logs / "web.log").mkdir(parents=True)
    with run("web: sh -c 'seq 1 20000; echo \"the end\"; sleep 60'", logs=logs) as output:
        wait_for(lambda: "the end" in output.getvalue())
