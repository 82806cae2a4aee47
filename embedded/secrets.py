"""Passwords and keys of one machine: generated at the first start, in a file for its owner only."""

import secrets
from pathlib import Path

from embedded.programs import write_private_file

BYTES = {
    "SECRET_KEY": 48,
    "JWT_SIGNING_KEY": 48,
    "POSTGRES_PASSWORD": 24,
    "PORTAL_DATABASE_PASSWORD": 24,
    "BILLING_DATABASE_PASSWORD": 24,
    "ANALYTICS_DATABASE_PASSWORD": 24,
    "VALKEY_PASSWORD": 24,
    "DEMO_PASSWORD": 12,
}


def ensure_secrets(file: Path) -> dict[str, str]:
    """Returns every secret by its name; generates those that the file (mode 600) lacks."""
    values = read_variables(file) if file.exists() else {}
    missing = {
        name: secrets.token_urlsafe(size) for name, size in BYTES.items() if name not in values
    }
    if missing:
        values |= missing
        write_private_file(file, "".join(f"{name}={value}\n" for name, value in values.items()))
    return values


def read_variables(file: Path) -> dict[str, str]:
    """Reads a file of NAME=value lines."""
    lines = (line.partition("=") for line in file.read_text().splitlines())
    return {name: value for name, _, value in lines}
