"""The portal: sign-in, patients, the staff's pages, the admin and the gateway routes."""

from portal.lean_imports import hidden

with hidden("rich"):  # Commands load it for their tables; here it would be in every process.
    import structlog as structlog

__version__ = "0.2.0"  # The same as in pyproject.toml, which is not part of the images.
