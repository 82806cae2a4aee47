"""Passwords and keys of one machine: generated on the first start, kept in a file that only its owner reads."""

import secrets
from pathlib import Path

from embedded.programs import private_file

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


def kept_secrets(file: Path) -> dict[str, str]:
    """Every secret by its name; what the file lacks is generated and written down there (mode 600)."""
    kept = read(file) if file.exists() else {}
    missing = {
        name: secrets.token_urlsafe(size) for name, size in BYTES.items() if name not in kept
    }
    if missing:
        kept |= missing
        private_file(file, "".join(f"{name}={value}\n" for name, value in kept.items()))
    return kept


def read(file: Path) -> dict[str, str]:
    """NAME=value lines."""
    lines = (line.partition("=") for line in file.read_text().splitlines())
    return {name: value for name, _, value in lines}
