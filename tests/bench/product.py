"""The product as shipped, on a filled folder, and the ways in which a bench asks it."""

import os
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import httpx
import psutil
from honcho.environ import parse_procfile

from embedded.environment import ROOT, variable_names
from embedded.postgres import Postgres
from embedded.secrets import read_variables
from tests.bench import usage
from tests.bench.fill import DESKS
from tests.end_to_end.system import System, running

TOKEN_SECONDS = 600  # An access token is used so long; it lives for 15 minutes.
SESSION_SECONDS = 900  # A session is used so long; it ends 30 minutes after its last request.
QUIET = 0.15  # Processors that the product may use while another system is measured.
CSRF = re.compile(r'name="csrfmiddlewaretoken" value="([^"]+)"')


@dataclass
class Product:
    """The running portal with all its processes and servers."""

    system: System
    root: psutil.Process
    ready_seconds: float  # From the command to the banner.
    _tokens: list[str] = field(default_factory=list)
    _tokens_at: float = float("-inf")
    _cookies: dict[tuple[int, str], tuple[float, str]] = field(default_factory=dict)

    @property
    def port(self) -> int:
        return int(self.system.ports["PORTAL_PORT"])

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def password(self) -> str:
        return self.system.password

    @cached_property
    def postgres(self) -> Postgres:
        """The server, to ask as its superuser."""
        secrets = read_variables(self.system.data / "run" / "secrets.env")
        url = httpx.URL(self.system.environment["DATABASE_URL"].replace("@/", "@localhost/"))
        return Postgres(0, Path(url.params["host"]), secrets["POSTGRES_PASSWORD"])

    def groups(self) -> dict[str, list[psutil.Process]]:
        """Returns the processes by their names in the Procfile, and PostgreSQL; each is a tree."""
        procfile = parse_procfile((ROOT / "Procfile").read_text()).processes
        endings = {command.partition(" ")[2]: name for name, command in procfile.items()}
        found: dict[str, list[psutil.Process]] = {}
        for process in self.root.children():
            line = " ".join(process.cmdline())
            names = [name for ending, name in endings.items() if line.endswith(ending)]
            other = "PostgreSQL" if "/postgres " in line else "servers"
            found.setdefault(names[0] if names else other, []).append(process)
        return found

    def bearers(self, count: int) -> list[str]:
        """Returns a header with a token for each of so many users of the front desk."""
        if time.monotonic() > self._tokens_at + TOKEN_SECONDS or len(self._tokens) < count:
            self._tokens = [self._token(number + 1) for number in range(count)]
            self._tokens_at = time.monotonic()
        return [f"Authorization: Bearer {token}" for token in self._tokens[:count]]

    def email(self, number: int) -> str:
        return f"desk{1 + (number - 1) % DESKS}@bench.example"

    def browser(self, email: str) -> httpx.Client:
        """Returns a client that is signed in to the pages as this user."""
        client = httpx.Client(base_url=f"http://{self.host}", timeout=60, trust_env=False)
        form = {
            "csrfmiddlewaretoken": CSRF.search(client.get("/sign-in/").text)[1],
            "email": email,
            "password": self.password,
        }
        answer = client.post("/sign-in/", data=form)
        assert answer.status_code == 302, f"{answer.status_code}: {answer.text[:2000]}"
        return client

    def cookies(self, count: int, email: str = "") -> list[str]:
        """Returns a header with the cookies of a session for each of so many users.

        With `email` all of them are sessions of this user.
        """
        for number in range(count):
            key = (number, email)
            used_at, _ = self._cookies.get(key, (float("-inf"), ""))
            if time.monotonic() > used_at + SESSION_SECONDS:
                cookies = self.browser(email or self.email(number + 1)).cookies.items()
                text = "; ".join(f"{name}={value}" for name, value in cookies)
                self._cookies[key] = (time.monotonic(), f"Cookie: {text}")
        return [self._cookies[number, email][1] for number in range(count)]

    def wait_until_quiet(self, *, seconds: float) -> bool:
        """Waits until relay, worker and the others have little left to do; False if they have."""
        end = time.monotonic() + seconds
        while True:
            used, began = usage.seconds_of([self.root]), time.monotonic()
            time.sleep(0.3)
            busy = (usage.seconds_of([self.root]) - used) / (time.monotonic() - began)
            if busy < QUIET or time.monotonic() > end:
                return busy < QUIET

    def _token(self, number: int) -> str:
        body = {"email": self.email(number), "password": self.password}
        answer = httpx.post(
            f"http://{self.host}/auth/login", json=body, timeout=60, trust_env=False
        )
        return answer.raise_for_status().json()["token"]


@contextmanager
def started_product(data: Path) -> Iterator[Product]:
    """Starts `embedded run` on the folder for the block, with the defaults of every setting."""
    for name in variable_names():
        os.environ.pop(name, None)
    began = time.monotonic()
    with running(data, kafka="embedded") as system:
        seconds = time.monotonic() - began
        [root] = [
            process
            for process in psutil.Process().children()
            if "embedded" in process.cmdline() and str(data / "run") in process.cmdline()
        ]
        yield Product(system, root, seconds)
