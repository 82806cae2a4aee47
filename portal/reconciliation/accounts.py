"""Reads the accounts at billing, as lines for the database."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import IO
from uuid import UUID

from portal.billing.client import Account, BillingClient, BillingError
from portal.reconciliation.stores import StoreAway

_AWAY = "Billing does not answer. See BILLING_GRPC_ADDRESS, and check again."
_NULL = r"\N"  # In PostgreSQL's format `text`.
_UNSAFE = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})


def read_all(client: BillingClient, lines: IO[bytes]) -> None:
    """Writes each account as a line of `read_account`, without a patient where billing has none.

    Raises StoreAway while billing does not answer.
    """
    with _raising_store_away():
        _write(client.list_accounts(), lines)


def read(client: BillingClient, patient_ids: Sequence[UUID], lines: IO[bytes]) -> None:
    """Writes the accounts of these patients; a patient without an account has no line."""
    with _raising_store_away():
        _write(filter(None, map(client.get_account, patient_ids)), lines)


def _write(accounts: Iterable[Account], lines: IO[bytes]) -> None:
    for account in accounts:
        columns = (
            str(account.patient_id) if account.patient_id else _NULL,
            account.account_id.translate(_UNSAFE),
            str(account.patient_version),
            "t" if account.is_closed else "f",
        )
        lines.write(("\t".join(columns) + "\n").encode())


@contextmanager
def _raising_store_away() -> Iterator[None]:
    try:
        yield
    except BillingError as error:
        raise StoreAway(_AWAY) from error
