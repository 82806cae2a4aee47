"""The store of accounts in PostgreSQL: whole sets in short transactions."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from billing_grpc.accounts import Account, Details, PatientId, StoreAway

STATEMENT_SECONDS = 8.0  # After which the database ends a statement.
CONNECT_SECONDS = 3  # After which an attempt to connect ends.
UNDEFINED_TABLE, UNDEFINED_COLUMN = "42P01", "42703"

metadata = sa.MetaData()
billing_account = sa.Table(
    "billing_account",
    metadata,
    sa.Column("number", sa.BigInteger, sa.Identity(always=True), primary_key=True),
    sa.Column("patient_id", sa.Uuid),
    sa.Column("client_patient_id", sa.Text),  # Of an older client; then there is no patient_id.
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("email", sa.Text, nullable=False),
    sa.Column("patient_version", sa.BigInteger, nullable=False),
    sa.Column(
        "opened_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()
    ),
    sa.Column("closed_at", sa.DateTime(timezone=True)),
    sa.UniqueConstraint("patient_id", name="billing_account_one_for_each_patient"),
    sa.UniqueConstraint("client_patient_id", name="billing_account_one_for_each_client_patient"),
)
columns = billing_account.c

# Returns only the rows that it inserts. It locks in the order of patients, so that two batches with
# the same patients cannot block each other.
INSERT_MISSING = sa.text("""
    INSERT INTO billing_account (patient_id, client_patient_id, name, email, patient_version)
    SELECT * FROM unnest(CAST(:patient_ids AS uuid[]), CAST(:client_ids AS text[]),
        CAST(:names AS text[]), CAST(:emails AS text[]), CAST(:versions AS bigint[])
    ) AS wanted (patient_id, client_patient_id) ORDER BY patient_id, client_patient_id
    ON CONFLICT DO NOTHING
    RETURNING number, coalesce(patient_id::text, client_patient_id), opened_at
""")
SELECT_MANY = sa.select(billing_account).where(
    (columns.patient_id == sa.any_(sa.bindparam("patient_ids", type_=postgresql.ARRAY(sa.Uuid()))))
    | (
        columns.client_patient_id
        == sa.any_(sa.bindparam("client_ids", type_=postgresql.ARRAY(sa.Text())))
    )
)


def connect(
    url: sa.URL, *, connections: int = 4, statement_seconds: float = STATEMENT_SECONDS
) -> sa.Engine:
    """Returns a pool for as many threads as `connections`; it connects when it is first used.

    No call waits for ever: the server ends a statement after `statement_seconds`, and the kernel a
    silent connection.
    """
    return sa.create_engine(
        url,
        pool_size=min(connections, 4),
        max_overflow=max(connections - 4, 0),
        pool_pre_ping=True,
        hide_parameters=True,
        connect_args={
            "application_name": "billing",
            "connect_timeout": CONNECT_SECONDS,
            "tcp_user_timeout": int(statement_seconds * 1000),
            "keepalives_idle": 5,
            "keepalives_interval": 2,
            "keepalives_count": 3,
            "options": f"-c statement_timeout={int(statement_seconds * 1000)} -c timezone=UTC",
        },
    )


class Store:
    """The accounts of one database. Any number of threads may call it."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def check(self) -> None:
        """Raises StoreAway unless the table can be read as this version of the code knows it."""
        with self._transaction() as connection:
            connection.execute(sa.select(billing_account).limit(1)).all()

    def add(
        self, details: Sequence[Details]
    ) -> tuple[dict[PatientId, Account], dict[PatientId, Account]]:
        if not details:
            return {}, {}
        with self._transaction() as connection:
            left = {str(item.patient_id): item for item in details}
            rows = connection.execute(INSERT_MISSING, _columns_of(left)).all()
            opened = [_new_account(left.pop(text), number, at) for number, text, at in rows]
            # A statement of its own sees what others committed while the insert waited for them.
            present = connection.execute(SELECT_MANY, _ids_of(left.values())).all() if left else []
        return _by_patient(opened), _by_patient(map(_account, present))

    def find(self, patient_id: PatientId) -> Account | None:
        return self._one_or_none(sa.select(billing_account).where(_is_of(patient_id)))

    def renew(self, details: Details, *, is_closed: bool | None) -> Account | None:
        is_newer = columns.patient_version < details.patient_version
        differs = sa.and_(
            columns.patient_version == details.patient_version, _has_other_status(is_closed)
        )
        return self._one_or_none(
            sa.update(billing_account)
            .where(_is_of(details.patient_id), is_newer | differs)
            .values(
                name=sa.case((is_newer, details.name), else_=columns.name),
                email=sa.case((is_newer, details.email), else_=columns.email),
                patient_version=details.patient_version,
                closed_at=_closing_time(is_closed),
            )
            .returning(billing_account)
        )

    def close(self, patient_id: PatientId) -> Account | None:
        return self._one_or_none(
            sa.update(billing_account)
            .where(_is_of(patient_id))
            .values(closed_at=_closing_time(True))
            .returning(billing_account)
        )

    def after(self, number: int, *, limit: int) -> list[Account]:
        wanted = (
            sa.select(billing_account)
            .where(columns.number > number)
            .order_by(columns.number)
            .limit(limit)
        )
        with self._transaction() as connection:
            return [_account(row) for row in connection.execute(wanted)]

    def _one_or_none(self, statement: sa.Executable) -> Account | None:
        with self._transaction() as connection:
            row = connection.execute(statement).one_or_none()
        return _account(row) if row else None

    @contextmanager
    def _transaction(self) -> Iterator[sa.Connection]:
        try:
            with self._engine.begin() as connection:
                yield connection
        except (sa.exc.OperationalError, sa.exc.InterfaceError, sa.exc.TimeoutError) as error:
            raise StoreAway(_kind(error)) from error
        except sa.exc.ProgrammingError as error:
            if getattr(error.orig, "pgcode", None) not in (UNDEFINED_TABLE, UNDEFINED_COLUMN):
                raise
            raise StoreAway(_kind(error)) from error  # Not migrated yet.


def _is_of(patient_id: PatientId) -> sa.ColumnElement[bool]:
    if isinstance(patient_id, UUID):
        return columns.patient_id == patient_id
    return columns.client_patient_id == patient_id


def _has_other_status(is_closed: bool | None) -> sa.ColumnElement[bool]:
    if is_closed is None:
        return sa.false()
    return columns.closed_at.is_(None) if is_closed else columns.closed_at.is_not(None)


def _closing_time(is_closed: bool | None) -> sa.ColumnElement:
    """Returns the new closing time; the first one stays until the account is opened again."""
    if is_closed is None:
        return columns.closed_at
    return sa.func.coalesce(columns.closed_at, sa.func.now()) if is_closed else sa.null()


def _columns_of(details: Mapping[str, Details]) -> dict[str, str]:
    """Returns the values of INSERT_MISSING; the keys of `details` are the patients' ids as text."""
    are_ours = [isinstance(item.patient_id, UUID) for item in details.values()]
    ids = list(zip(details, are_ours, strict=True))
    return {
        "patient_ids": _array_of(text if is_ours else "NULL" for text, is_ours in ids),
        "client_ids": _array_of("NULL" if is_ours else _quoted(text) for text, is_ours in ids),
        "names": _array_of(_quoted(item.name) for item in details.values()),
        "emails": _array_of(_quoted(item.email) for item in details.values()),
        "versions": _array_of(str(item.patient_version) for item in details.values()),
    }


def _array_of(elements: Iterable[str]) -> str:
    """Returns the text of an array. Its values in a list would each be read as an expression."""
    return "{" + ",".join(elements) + "}"


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _ids_of(details: Collection[Details]) -> dict[str, list[PatientId]]:
    """Returns the values of SELECT_MANY."""
    ids = [item.patient_id for item in details]
    return {
        "patient_ids": [patient_id for patient_id in ids if isinstance(patient_id, UUID)],
        "client_ids": [patient_id for patient_id in ids if isinstance(patient_id, str)],
    }


def _new_account(details: Details, number: int, opened_at: datetime) -> Account:
    return Account(
        number,
        details.patient_id,
        details.name,
        details.email,
        details.patient_version,
        opened_at,
        closed_at=None,
    )


def _by_patient(accounts: Iterable[Account]) -> dict[PatientId, Account]:
    return {account.patient_id: account for account in accounts}


def _account(row: sa.Row) -> Account:
    """Reads a row with the columns of the table, in their order."""
    number, patient_id, client_patient_id, *rest = row
    return Account(number, patient_id or client_patient_id, *rest)


def _kind(error: Exception) -> str:
    """Returns the kind of a database error, since its text may quote a row."""
    return type(getattr(error, "orig", None) or error).__name__
