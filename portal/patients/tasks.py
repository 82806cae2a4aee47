"""What the worker does for patients."""

from celery import shared_task

from portal.patients import keys
from portal.patients.finding import vocabulary


@shared_task(name="patients.forget_keys")
def forget_keys() -> None:
    """Once an hour."""
    keys.forget_keys()


@shared_task(name="patients.forget_words")
def forget_words() -> None:
    """Once a night: no word of an erased patient's name stays behind."""
    vocabulary.forget_words()
