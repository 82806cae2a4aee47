"""The variables that the portal and its neighbours read, for the servers of one machine."""

import os
import sys
from collections.abc import Mapping
from pathlib import Path

from honcho.environ import parse as parse_env_file

from embedded.kafka import Kafka

ROOT = Path(__file__).resolve().parent.parent
PORTS = {
    "PORTAL_PORT": 4000,
    "PORTAL_INTERNAL_PORT": 4003,
    "ANALYTICS_PORT": 4002,
    "BILLING_PORT": 9001,
}
MARK = "EMBEDDED_DATA"  # Every process of a run carries it, so that the next run can find what a killed one left.
WINDOW_BYTES = (
    "3000000"  # The embedded broker drops what is older than the last 5 MB of a partition.
)
QUIET_AND_LEAN = {
    "CELERY_SKIP_CHECKS": "1",  # The portal makes them; they load every page, which the worker never uses.
    "MALLOC_ARENA_MAX": "2",  # A thread more must not cost an arena more.
    "PYTHONUNBUFFERED": "1",
    "PYTHONWARNINGS": "ignore:You're running the worker with superuser",  # In a container everybody is root.
}


def chosen() -> dict[str, str]:
    """What the shell says, then the file .env, then our ports. An empty value is no value."""
    file = ROOT / ".env"
    written = parse_env_file(file.read_text()) if file.exists() else {}
    ports = {name: str(port) for name, port in PORTS.items()}
    return {
        **ports,
        **written,
        **{name: value for name, value in os.environ.items() if value or name not in ports},
    }


def environment(
    chosen: Mapping[str, str],
    *,
    data: Path,
    secrets: Mapping[str, str],
    kafka: Kafka,
    urls: Mapping[str, str],
) -> dict[str, str]:
    """What was chosen, with the addresses and secrets of the embedded servers."""
    here = host(chosen)
    return {
        **QUIET_AND_LEAN,
        **chosen,
        **urls,
        "SECRET_KEY": secrets["SECRET_KEY"],
        "JWT_SIGNING_KEY": secrets["JWT_SIGNING_KEY"],
        "DEMO_PASSWORD": secrets["DEMO_PASSWORD"],
        "KAFKA_BOOTSTRAP_SERVERS": kafka.address,
        "KAFKA_API_VERSION": kafka.api_version,
        **(
            {"KAFKA_WINDOW_BYTES": chosen.get("KAFKA_WINDOW_BYTES") or WINDOW_BYTES}
            if kafka.forgets
            else {}
        ),
        "BILLING_GRPC_ADDRESS": f"{here}:{chosen['BILLING_PORT']}",
        "ANALYTICS_URL": f"http://{here}:{chosen['ANALYTICS_PORT']}",
        "PORTAL_DATA_DIR": str(data / "portal"),
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{chosen.get('PATH', os.defpath)}",
    }


def host(chosen: Mapping[str, str]) -> str:
    """Where to reach, from here, what binds to BIND_HOST."""
    bound = chosen.get("BIND_HOST") or "127.0.0.1"
    return "127.0.0.1" if bound in ("0.0.0.0", "::") else bound  # noqa: S104
