"""Runs the baseline `plain_drf` beside the product, in the same PostgreSQL."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import httpx
import psutil

from embedded.environment import ROOT
from embedded.programs import is_listening, reserve_port
from tests.bench.plain_drf.fill import CLERK
from tests.bench.product import Product
from tests.waits import wait_for

APPLICATION, SETTINGS = "tests.bench.plain_drf.wsgi", "tests.bench.plain_drf.settings"
COMMAND = ["gunicorn", "--workers", "2", "--worker-class", "gthread", "--threads", "4"]


@dataclass
class Plain:
    """The running baseline."""

    port: int
    password: str
    root: psutil.Process
    _bearer: list[str] = field(default_factory=list)

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.port}"

    def bearers(self, count: int) -> list[str]:
        if not self._bearer:
            body = {"username": CLERK, "password": self.password}
            answer = httpx.post(
                f"http://{self.host}/auth/login", json=body, timeout=60, trust_env=False
            )
            self._bearer = [f"Authorization: Bearer {answer.raise_for_status().json()['access']}"]
        return self._bearer * count


@contextmanager
def started_plain(product: Product) -> Iterator[Plain]:
    url = product.postgres.give_database("plain", user="plain", password=product.password)
    own = {"PLAIN_DATABASE_URL": url, "DJANGO_SETTINGS_MODULE": SETTINGS}
    with reserve_port() as port, (product.system.data / "plain.log").open("w") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", *COMMAND, "--bind", f"127.0.0.1:{port}", APPLICATION],
            cwd=ROOT,
            env={**os.environ, **product.system.environment, **own},
            stdout=log,
            stderr=log,
        )
        try:
            wait_for(lambda: is_listening(port))
            yield Plain(port, product.password, psutil.Process(process.pid))
        finally:
            process.terminate()
            process.wait(30)
