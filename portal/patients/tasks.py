"""What the worker does for patients."""

from celery import shared_task

from portal.patients import idempotency
from portal.patients.names import vocabulary


@shared_task(name="patients.forget_keys")
def forget_keys() -> None:
    """Once an hour."""
    idempotency.forget_keys()


@shared_task(name="patients.forget_words")
def forget_words() -> None:
    """Once a night: no word of an erased patient's name stays behind."""
    vocabulary.delete_unused_words()
