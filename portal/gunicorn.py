"""gunicorn's settings: a port for users and programs, an internal one for health and metrics."""

import os
import shutil
import warnings
from pathlib import Path
from typing import Any

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
# One process counts in its memory. Several count in mapped files, in the machine's memory and not
# on a disk: a write to a mapped file kills the process when the disk is full. The variable must be
# set or absent before the first import of prometheus_client.
shared_memory = Path("/dev/shm")  # noqa: S108 - for the heartbeat, too, which must not wait either.
memory = shared_memory if shared_memory.is_dir() else Path(os.environ["PORTAL_DATA_DIR"])
metrics_dir = memory / f"patient-portal-metrics-{bind[-1].rpartition(':')[2]}"
if workers > 1:
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(metrics_dir)
else:
    os.environ.pop("PROMETHEUS_MULTIPROC_DIR", None)
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


def on_starting(_server: Any) -> None:
    """Deletes the metrics of an earlier start, which would be counted twice."""
    shutil.rmtree(metrics_dir, ignore_errors=True)
    if workers > 1:
        metrics_dir.mkdir(mode=0o700)


def child_exit(_server: Any, worker: Any) -> None:
    """Drops the gauges of a worker that has ended."""
    # Not above: this package reads PROMETHEUS_MULTIPROC_DIR when it is imported.
    from prometheus_client import multiprocess

    if workers > 1:
        multiprocess.mark_process_dead(worker.pid)
