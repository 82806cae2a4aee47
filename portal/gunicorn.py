"""gunicorn's settings: a port for users and programs, an internal one for health and metrics."""

import os
import shutil
import warnings
from contextlib import suppress
from pathlib import Path
from typing import Any

from portal.connection_counts import ConnectionCounts
from portal.web_figures import FOLDER_VARIABLE, keep_figures_of_ended

host = os.environ.get("BIND_HOST") or "127.0.0.1"

bind = [
    f"{host}:{os.environ.get('PORTAL_PORT') or 4000}",
    f"{host}:{os.environ.get('PORTAL_INTERNAL_PORT') or 4003}",
]
worker_class = "portal.web_worker.WebWorker"
workers = int(os.environ.get("WEB_CONCURRENCY") or 1)
threads = 8
# Bytes of a request's first line, the most that gunicorn takes: a long text that was pasted into
# the search box reaches our page, which reads its beginning.
limit_request_line = 8190
# Several processes exchange what they counted in files, in the machine's memory where it can be.
shared_memory = Path("/dev/shm")  # noqa: S108 - for the heartbeat, too, which must not wait either.
memory = shared_memory if shared_memory.is_dir() else Path(os.environ["PORTAL_DATA_DIR"])
metrics_dir = memory / f"patient-portal-metrics-{bind[-1].rpartition(':')[2]}"
os.environ.pop("PROMETHEUS_MULTIPROC_DIR", None)  # The library would map files into memory.
if workers > 1:
    os.environ[FOLDER_VARIABLE] = str(metrics_dir)
else:
    os.environ.pop(FOLDER_VARIABLE, None)
timeout = 60  # Seconds without a heartbeat until a worker is killed.
graceful_timeout = 10  # Seconds that requests get to end after a stop.
# The portal logs each request itself, by its route. gunicorn would log addresses, which may hold
# search text.
accesslog = None
loglevel = "warning"
control_socket_disable = True
# The portal itself decides whose headers it believes, see portal.proxies.
forwarded_allow_ips = ""
forwarder_headers = ""
secure_scheme_headers: dict[str, str] = {}
# On one machine static files are served from where they lie, without a collected folder.
warnings.filterwarnings("ignore", message="No directory at")
worker_tmp_dir = str(shared_memory) if shared_memory.is_dir() else None


connection_counts = ConnectionCounts()


def on_starting(_server: Any) -> None:
    """Deletes the metrics of an earlier start, which would be counted twice."""
    shutil.rmtree(metrics_dir, ignore_errors=True)
    if workers > 1:
        metrics_dir.mkdir(mode=0o700, exist_ok=True)


def pre_fork(_server: Any, worker: Any) -> None:
    """Gives a process its place among those that share the connections."""
    worker.share = connection_counts.share()


def child_exit(_server: Any, worker: Any) -> None:
    """Keeps what a process counted that has ended, and frees its place."""
    if worker.share:
        worker.share.release()
    if workers > 1:
        with suppress(OSError):  # No room: it keeps its own file.
            keep_figures_of_ended(metrics_dir, str(worker.pid))
