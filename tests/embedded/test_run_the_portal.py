"""`python -m embedded run` before the servers start, and what it prints when they have."""

import json
import os
import socket
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from embedded.banner import banner, curl_line
from embedded.environment import ROOT

PORTS = ("PORTAL_PORT", "PORTAL_INTERNAL_PORT", "ANALYTICS_PORT", "BILLING_PORT", "KAFKA_PORT")
PASSWORD = "an-Odd_password-1"
LOGS = Path("/run/logs")
ENVIRONMENT = {
    "PORTAL_PORT": "4711",
    "DEMO_PASSWORD": PASSWORD,
    "KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:9092",
}


@pytest.fixture
def api():
    """An API that gives a token for the password, and a patient for the token."""

    class Api(BaseHTTPRequestHandler):
        def do_POST(self):
            given = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            is_right = given == {"email": "frontdesk@demo.example", "password": PASSWORD}
            self.answer({"token": "a.b-c_d", "refresh": "r", "expiresIn": 900} if is_right else {})

        def do_GET(self):
            self.answer([{"mrn": "1"}] if self.headers["Authorization"] == "Bearer a.b-c_d" else [])

        def answer(self, body):
            self.send_response(200)
            self.end_headers()
            self.wfile.write(json.dumps(body).encode())

        def log_message(self, *_):
            pass

    server = HTTPServer(("127.0.0.1", 0), Api)
    threading.Thread(target=server.serve_forever).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_the_curl_line_of_the_banner_lists_patients(api):
    shown = subprocess.run(
        ["sh", "-c", curl_line(api, PASSWORD)], capture_output=True, text=True, check=True
    )
    assert json.loads(shown.stdout) == [{"mrn": "1"}]


def test_the_banner_says_that_java_gets_nothing_from_the_embedded_broker():
    assert "127.0.0.1:9092, in memory. A consumer in Java gets nothing" in banner(
        ENVIRONMENT, logs=LOGS
    )
    assert "KAFKA=apache make run" in banner(ENVIRONMENT, logs=LOGS)
    assert "Java" not in banner({**ENVIRONMENT, "KAFKA": "apache"}, logs=LOGS)


def test_the_banner_names_the_address_every_role_the_password_and_the_logs():
    text = banner(ENVIRONMENT, logs=LOGS)
    roles = ("frontdesk", "clinician", "billing", "analyst", "auditor", "operator")
    for part in (
        "http://localhost:4711",
        PASSWORD,
        str(LOGS),
        *(f"{role}@demo.example" for role in roles),
    ):
        assert part in text


def run(folder, ports):
    command = [sys.executable, "-m", "embedded", "run", "--data", str(folder / "run")]
    environment = {**os.environ, **{name: str(port) for name, port in ports.items()}}
    return subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )


def test_a_busy_port_is_refused_by_the_name_of_its_variable(short_tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as other:
        ports = dict.fromkeys(PORTS, other.getsockname()[1])
        done = run(short_tmp_path, ports)
    assert done.returncode == 1
    for name, port in ports.items():
        assert f"{name}={port}" in done.stderr


def test_a_port_that_is_about_to_be_free_is_waited_for(short_tmp_path):
    """A second port stays taken, which ends the run before it starts anything."""
    with (
        socket.create_server(("127.0.0.1", 0)) as stays,
        socket.create_server(("127.0.0.1", 0)) as goes,
    ):
        ports = {"BILLING_PORT": stays.getsockname()[1], "ANALYTICS_PORT": goes.getsockname()[1]}

        def close_after_first_probe():
            goes.accept()
            goes.close()

        threading.Thread(target=close_after_first_probe).start()
        done = run(short_tmp_path, ports)
    assert "BILLING_PORT" in done.stderr
    assert "ANALYTICS_PORT" not in done.stderr
