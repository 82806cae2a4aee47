"""The environment of the portal and its services, for the servers of one machine."""

import os
import re
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
EVERY_ADDRESS = ("0.0.0.0", "::")  # noqa: S104 - values to compare with; nothing binds to them
# Every process of a run has this variable, so that the next run finds what a killed run left.
RUN_VARIABLE = "EMBEDDED_DATA"
# The relay sends no more than this ahead of its readers: the embedded broker drops what is older
# than the last 5 MB of a partition.
WINDOW_BYTES = "3000000"
PROCESS_DEFAULTS = {
    # The portal makes Celery's checks. They load every page, which the worker never uses.
    "CELERY_SKIP_CHECKS": "1",
    "MALLOC_ARENA_MAX": "2",  # Keeps glibc from taking memory for each further thread.
    "PYTHONUNBUFFERED": "1",
    # In a container every process is root.
    "PYTHONWARNINGS": "ignore:You're running the worker with superuser",
}


def variable_names() -> set[str]:
    """Returns the names of all variables of the project, those of .env.example."""
    text = (ROOT / ".env.example").read_text()
    return set(re.findall(r"^#?([A-Z][A-Z_]+)=", text, re.MULTILINE))


def read_settings() -> dict[str, str]:
    """Returns the variables of the shell, then those of the file .env, then our ports.

    An empty port counts as not set.
    """
    file = ROOT / ".env"
    from_file = parse_env_file(file.read_text()) if file.exists() else {}
    ports = {name: str(port) for name, port in PORTS.items()}
    from_shell = {name: value for name, value in os.environ.items() if value or name not in ports}
    return {**ports, **from_file, **from_shell}


def build_environment(
    settings: Mapping[str, str],
    *,
    data: Path,
    secrets: Mapping[str, str],
    kafka: Kafka,
    urls: Mapping[str, str],
) -> dict[str, str]:
    """Returns the settings with the addresses and secrets of the embedded servers."""
    host = reachable_host(settings)
    window = {"KAFKA_WINDOW_BYTES": settings.get("KAFKA_WINDOW_BYTES") or WINDOW_BYTES}
    return {
        **PROCESS_DEFAULTS,
        **settings,
        **urls,
        "SECRET_KEY": secrets["SECRET_KEY"],
        "JWT_SIGNING_KEY": secrets["JWT_SIGNING_KEY"],
        "DEMO_PASSWORD": secrets["DEMO_PASSWORD"],
        "KAFKA_BOOTSTRAP_SERVERS": kafka.address,
        "KAFKA_API_VERSION": kafka.api_version,
        **(window if kafka.is_in_memory else {}),
        "BILLING_GRPC_ADDRESS": f"{host}:{settings['BILLING_PORT']}",
        "ANALYTICS_URL": f"http://{host}:{settings['ANALYTICS_PORT']}",
        "PORTAL_DATA_DIR": str(data / "portal"),
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{settings.get('PATH', os.defpath)}",
    }


def reachable_host(settings: Mapping[str, str]) -> str:
    """Returns the address at which this machine reaches a server that binds to BIND_HOST."""
    bound = settings.get("BIND_HOST") or "127.0.0.1"
    return "127.0.0.1" if bound in EVERY_ADDRESS else bound
