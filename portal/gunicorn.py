"""gunicorn's settings: a port for users and programs, an internal one for health and metrics."""

import os
import shutil
import warnings
from pathlib import Path
from typing import Any

# Each worker writes its metrics into files there. It must be set before the first import of
# prometheus_client.
data = os.environ["PORTAL_DATA_DIR"]
metrics_dir = Path(os.environ.setdefault("PROMETHEUS_MULTIPROC_DIR", f"{data}/metrics"))
host = os.environ.get("BIND_HOST") or "127.0.0.1"

bind = [
    f"{host}:{os.environ.get('PORTAL_PORT') or 4000}",
    f"{host}:{os.environ.get('PORTAL_INTERNAL_PORT') or 4003}",
]
worker_class = "gthread"
workers = int(os.environ.get("WEB_CONCURRENCY") or 1)
threads = 8
timeout = 60  # Seconds without a heartbeat until a worker is killed.
graceful_timeout = 10  # Seconds that requests get to end after a stop.
keepalive = 5  # Seconds that an idle connection stays open.
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
shared_memory = Path("/dev/shm")  # noqa: S108 - a heartbeat must not wait for a disk.
worker_tmp_dir = str(shared_memory) if shared_memory.is_dir() else None


def on_starting(_server: Any) -> None:
    """Deletes the metrics of an earlier start, which would be counted twice."""
    shutil.rmtree(metrics_dir, ignore_errors=True)
    metrics_dir.mkdir(parents=True)


def child_exit(_server: Any, worker: Any) -> None:
    """Drops the gauges of a worker that has ended."""
    # Not above: this package reads PROMETHEUS_MULTIPROC_DIR when it is imported.
    from prometheus_client import multiprocess

    multiprocess.mark_process_dead(worker.pid)
