"""The store of accounts in PostgreSQL: whole sets in short transactions."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
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

INSERT_MISSING = (
    postgresql.insert(billing_account)
    .on_conflict_do_nothing()
    .returning(billing_account)  # Only the rows that this statement inserted.
)
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
            opened = _by_patient(connection.execute(INSERT_MISSING, _rows_of(details)))
            others = [item.patient_id for item in details if item.patient_id not in opened]
            if not others:
                return opened, {}
            # A statement of its own sees what others committed while the insert waited for them.
            wanted = {
                "patient_ids": [other for other in others if isinstance(other, UUID)],
                "client_ids": [other for other in others if isinstance(other, str)],
            }
            present = _by_patient(connection.execute(SELECT_MANY, wanted))
        return opened, present

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


def _rows_of(details: Sequence[Details]) -> list[dict[str, object]]:
    """Orders the rows by patient: two batches with the same patients cannot block each other."""
    return [
        {
            "patient_id": item.patient_id if isinstance(item.patient_id, UUID) else None,
            "client_patient_id": item.patient_id if isinstance(item.patient_id, str) else None,
            "name": item.name,
            "email": item.email,
            "patient_version": item.patient_version,
        }
        for item in sorted(details, key=lambda item: str(item.patient_id))
    ]


def _by_patient(rows: sa.CursorResult) -> dict[PatientId, Account]:
    accounts = [_account(row) for row in rows]
    return {account.patient_id: account for account in accounts}


def _account(row: sa.Row) -> Account:
    values = dict(row._mapping)
    client_patient_id = values.pop("client_patient_id")
    if client_patient_id is not None:
        values["patient_id"] = client_patient_id
    return Account(**values)


def _kind(error: Exception) -> str:
    """Returns the kind of a database error, since its text may quote a row."""
    return type(getattr(error, "orig", None) or error).__name__
