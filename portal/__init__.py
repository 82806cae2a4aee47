"""The portal: sign-in, patients, the staff's pages, the admin and the gateway routes."""

from portal.celery import app as celery_app

__all__ = ["celery_app"]
__version__ = "0.2.0"  # The same as in pyproject.toml, which is not part of the images.
