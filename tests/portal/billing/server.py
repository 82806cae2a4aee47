"""The real billing server, as a process on a port that stays the same when it comes back."""

import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from embedded.programs import is_listening, pick_free_port
from tests.billing_grpc.caller import caller_of
from tests.billing_grpc.database import execute, new_database
from tests.billing_grpc.process import command, environment
from tests.waits import wait_for


class BillingServer:
    """A server that the test starts and ends; its accounts stay."""

    def __init__(self, url, folder: Path) -> None:
        self.url, self.log, self.port = url, folder / "billing.log", pick_free_port()
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    def start(self) -> None:
        with self.log.open("ab") as log:
            env = environment(self.url, BILLING_PORT=str(self.port))
            self._process = subprocess.Popen(command("serve"), env=env, stderr=log)
        wait_for(lambda: is_listening(self.port))

    def send(self, number: signal.Signals) -> None:
        self._process.send_signal(number)

    def end(self, number: signal.Signals = signal.SIGTERM) -> None:
        if self._process:
            self.send(number)
            self._process.wait(30)
            self._process = None

    def forget(self) -> None:
        """Deletes every account, and starts the server if it is not running."""
        execute(self.url, "TRUNCATE billing_account")
        if not self._process:
            self.start()

    def accounts(self) -> dict:
        """Returns every account by patient id."""
        with caller_of(self.port) as caller:
            return {
                account.patient_id: account for account in caller.list(page_size=1_000).accounts
            }


@contextmanager
def billing_server(folder: Path) -> Iterator[BillingServer]:
    with new_database() as url:
        server = BillingServer(url, folder)
        try:
            server.start()
            yield server
        finally:
            server.end()
