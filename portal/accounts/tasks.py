"""The worker's tasks for accounts."""

from celery import shared_task

from portal.accounts import services


@shared_task(name="accounts.forget_ended_tokens")
def forget_ended_tokens() -> None:
    """Deletes ended tokens and sessions, once a night."""
    services.forget_ended_tokens()
    services.forget_ended_sessions()
