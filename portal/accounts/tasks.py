"""What the worker does for accounts."""

from celery import shared_task

from portal.accounts import services


@shared_task(name="accounts.forget_ended_tokens")
def forget_ended_tokens() -> None:
    """Once a night, with the sessions that have ended."""
    services.forget_ended_tokens()
    services.forget_ended_sessions()
