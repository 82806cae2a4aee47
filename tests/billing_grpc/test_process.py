"""The server as a process: start, end by signal, and the text when it cannot run."""

import signal
import socket
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import grpc
import pytest

from tests.billing_grpc.caller import OPENED, caller_of, new_patient, refusal
from tests.billing_grpc.database import count_waiting_statements, locked_accounts, new_database
from tests.billing_grpc.process import environment, run_command, running_process
from tests.waits import wait_for


@pytest.fixture(scope="module")
def database():
    with new_database() as url:
        yield url


@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_makes_it_finish_the_calls_under_way_and_end(database, tmp_path, ending):
    """Red when the server stops at once, does not tell the watchers, or waits for them to leave."""
    with (
        running_process(database, tmp_path) as process,
        caller_of(process.port) as billing,
        ThreadPoolExecutor(1) as caller,
    ):
        wait_for(lambda: billing.health() == "SERVING")
        watched = billing.watch_health("billing.v1.BillingService")
        assert next(watched) == "SERVING"
        with locked_accounts(database, "EXCLUSIVE"):
            under_way = caller.submit(billing.open, new_patient())
            wait_for(lambda: count_waiting_statements(database))
            process.popen.send_signal(ending)
            assert next(watched) == "NOT_SERVING"
            wait_for(lambda: not takes_connections(process.port))
            # CANCELLED is what gRPC answers where a call and the end meet on an open connection.
            assert refusal(billing.open, new_patient())[0] in ("UNAVAILABLE", "CANCELLED")
            assert not under_way.done()
        assert under_way.result().outcome == OPENED
        assert process.popen.wait(30) == 0
        with suppress(grpc.RpcError):
            assert list(watched) == []
        assert [line["signal"] for line in process.lines("draining")] == [ending.name]
        assert process.lines("ended")


def takes_connections(port: int) -> bool:
    with socket.socket() as caller:
        return caller.connect_ex(("127.0.0.1", port)) == 0


def test_an_open_watch_does_not_hold_up_the_end(database, tmp_path):
    with running_process(database, tmp_path) as process, caller_of(process.port) as billing:
        watched = billing.watch_health()
        next(watched)
        assert process.end() == 0
        assert list(watched)[-1:] in ([], ["NOT_SERVING"])


def test_it_starts_without_its_database_and_is_not_serving(tmp_path):
    with new_database() as gone:
        pass
    with running_process(gone, tmp_path) as process, caller_of(process.port) as billing:
        assert billing.health() == "NOT_SERVING"
        status, text = refusal(billing.open, new_patient())
        assert (status, text) == (
            "UNAVAILABLE",
            "the accounts cannot be reached now; try again later",
        )
        assert process.end() == 0


def test_a_busy_port_is_refused_with_the_variable_to_set(database):
    """Red when the system may share a port between two servers."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        refused = run_command("serve", environment(database, BILLING_PORT=str(port)))
    text = (
        f"billing: cannot listen on 127.0.0.1:{port}: Address already in use."
        " Set BILLING_PORT or BIND_HOST.\n"
    )
    assert (refused.returncode, refused.stderr) == (1, text)


def test_two_servers_do_not_share_a_port(database, tmp_path):
    with running_process(database, tmp_path) as first:
        second = run_command("serve", environment(database, BILLING_PORT=str(first.port)))
        assert second.returncode == 1
        assert "Address already in use" in second.stderr


@pytest.mark.parametrize(
    ("environ", "text"),
    [
        ({}, "BILLING_DATABASE_URL is missing."),
        ({"BILLING_DATABASE_URL": "nonsense"}, "BILLING_DATABASE_URL is not a database address."),
        (
            {"BILLING_DATABASE_URL": "mysql://h/d"},
            "BILLING_DATABASE_URL must name a PostgreSQL database",
        ),
        (
            {"BILLING_DATABASE_URL": "postgresql:///b", "BILLING_PORT": "70000"},
            "BILLING_PORT must be a number",
        ),
        (
            {"BILLING_DATABASE_URL": "postgresql:///b", "LOG_LEVEL": "LOUD"},
            "LOG_LEVEL must be one of",
        ),
    ],
)
def test_a_missing_or_wrong_variable_names_itself(environ, text):
    refused = run_command("serve", environment(None, **environ))
    assert refused.returncode == 2
    assert refused.stderr.startswith(f"billing: {text}")
    assert refused.stderr.count("\n") == 1


def test_the_log_has_method_status_and_duration_and_no_personal_data(database, tmp_path):
    with running_process(database, tmp_path) as process, caller_of(process.port) as billing:
        patient = new_patient(name="Hildegard Personal", email="hildegard@example.org")
        billing.open(patient)
        refusal(billing.open, new_patient(name="Hildegard Personal", email="hildegard"))
        refusal(billing.get, new_patient().patient_id)
        process.end()
        calls = process.lines("call")
        assert [(line["method"], line["status"]) for line in calls] == [
            ("billing.v1.BillingService/CreateBillingAccount", "OK"),
            ("billing.v1.BillingService/CreateBillingAccount", "INVALID_ARGUMENT"),
            ("billing.v1.BillingService/GetBillingAccount", "NOT_FOUND"),
        ]
        assert all(line["duration_ms"] >= 0 for line in calls)
        assert "ildegard" not in process.text()
        assert patient.patient_id not in process.text()
