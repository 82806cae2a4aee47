"""The tasks of patients that Celery runs."""

from celery import shared_task

from portal.patients import idempotency
from portal.patients.names import vocabulary


@shared_task(name="patients.forget_keys")
def forget_keys() -> None:
    """Deletes old idempotency keys, once an hour."""
    idempotency.forget_keys()


@shared_task(name="patients.forget_words")
def forget_words() -> None:
    """Deletes the words of erased patients' names, once a night."""
    vocabulary.delete_unused_words()
