"""What the worker does for patients."""

from celery import shared_task

from portal.patients import keys


@shared_task(name="patients.forget_keys")
def forget_keys() -> None:
    """Once an hour."""
    keys.forget_keys()
