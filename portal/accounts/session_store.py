"""Django's sessions in the database, with a column for their user. SESSION_ENGINE names it."""

from typing import Any, cast

from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore as DatabaseStore

from portal.accounts.models import Session


class SessionStore(DatabaseStore):
    """Fills the column `user` of every session that it saves."""

    @classmethod
    def get_model_class(cls) -> type[Session]:
        return Session

    def create_model_instance(self, data: dict[str, Any]) -> Session:
        row = cast(Session, super().create_model_instance(data))
        row.user_id = data.get(SESSION_KEY)
        return row
