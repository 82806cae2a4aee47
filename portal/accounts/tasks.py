"""The worker's tasks for accounts."""

from celery import shared_task


@shared_task(name="accounts.forget_ended_tokens")
def forget_ended_tokens() -> None:
    """Deletes ended tokens and sessions, once a night."""
    # It loads Django REST framework: 9 MB, which the worker needs for nothing else.
    from portal.accounts import services

    services.forget_ended_tokens()
    services.forget_ended_sessions()
