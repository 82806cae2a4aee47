"""Django's sessions in the database, with a column for their user. SESSION_ENGINE names it.

Every page asks for session, user and rights: one prepared statement reads all three.
"""

from typing import Any, cast

from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore as DatabaseStore
from django.db import connection
from django.utils import timezone

from portal.accounts.models import Session, User
from portal.accounts.rights import rights_sql
from portal.prepared import execute_prepared

_USER = tuple(field.attname for field in User._meta.concrete_fields)
_READ = """
    (text, timestamptz) AS
    SELECT session.session_data, ARRAY({rights}), {user}
    FROM accounts_session AS session LEFT JOIN accounts_user ON accounts_user.id = session.user_id
    WHERE session.session_key = $1 AND session.expire_date > $2
"""


class SessionStore(DatabaseStore):
    """Fills the column `user` of every session that it saves, and reads the user with it.

    `owner` is that user, once the session is loaded; nobody has checked yet whether the session
    still opens the portal to them.
    """

    owner: User | None = None

    @classmethod
    def get_model_class(cls) -> type[Session]:
        return Session

    def create_model_instance(self, data: dict[str, Any]) -> Session:
        row = cast(Session, super().create_model_instance(data))
        row.user_id = data.get(SESSION_KEY)
        return row

    def load(self) -> dict[str, Any]:
        rows = execute_prepared("session", _statement, [self.session_key, timezone.now()])
        if not rows:
            self._session_key = None
            return {}
        data, rights, *user = rows[0]
        self.owner = _user_of(user, rights)
        return self.decode(data)


def _user_of(row: list[Any], rights: list[str]) -> User | None:
    values = dict(zip(_USER, row, strict=True))
    if values["id"] is None:
        return None
    user = User.from_db(connection.alias, _USER, row)
    user.take_rights(rights)
    return user


def _statement() -> str:
    user = ", ".join(f"accounts_user.{name}" for name in _USER)
    return _READ.format(user=user, rights=rights_sql("session.user_id"))
