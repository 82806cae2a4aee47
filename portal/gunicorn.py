"""How gunicorn serves the portal: one port for people and programs, one for the operators' health and metrics."""

import os
import shutil
import warnings
from pathlib import Path
from typing import Any

# Each worker writes its figures into files there; it must be set before anything imports prometheus_client.
figures = Path(
    os.environ.setdefault("PROMETHEUS_MULTIPROC_DIR", f"{os.environ['PORTAL_DATA_DIR']}/metrics")
)
host = os.environ.get("BIND_HOST") or "127.0.0.1"

bind = [
    f"{host}:{os.environ.get('PORTAL_PORT') or 4000}",
    f"{host}:{os.environ.get('PORTAL_INTERNAL_PORT') or 4003}",
]
worker_class = "gthread"
workers = int(os.environ.get("WEB_CONCURRENCY") or 1)
threads = 8
timeout = 60
graceful_timeout = 10
keepalive = 5
# The portal logs each request itself, by its route: gunicorn would log addresses, and these may hold search text.
accesslog = None
loglevel = "warning"
control_socket_disable = True
# On one machine static files are served from where they lie, without a collected folder.
warnings.filterwarnings("ignore", message="No directory at")
worker_tmp_dir = "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108 - a heartbeat must not wait for a disk.


def on_starting(_server: Any) -> None:
    """Figures of an earlier start would be counted twice."""
    shutil.rmtree(figures, ignore_errors=True)
    figures.mkdir(parents=True)


def child_exit(_server: Any, worker: Any) -> None:
    """Forget the gauges of a worker that is gone."""
    from prometheus_client import (
        multiprocess,
    )  # Not above: it decides at its import where figures are kept.

    multiprocess.mark_process_dead(worker.pid)
