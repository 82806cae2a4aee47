"""The accounts at billing, as lines for the database."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import IO
from uuid import UUID

from portal.billing.client import Account, BillingClient, BillingError
from portal.reconciliation.stores import StoreAway

_UNSAFE = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})


def read_all(client: BillingClient, lines: IO[bytes]) -> None:
    """Every account as a line of `read_account`; StoreAway while billing does not answer."""
    with _told():
        _write(client.list_accounts(), lines)


def read(client: BillingClient, patient_ids: Sequence[UUID], lines: IO[bytes]) -> None:
    """The accounts of these patients; one without an account has no line."""
    with _told():
        _write(filter(None, map(client.get_account, patient_ids)), lines)


def _write(accounts: Iterable[Account], lines: IO[bytes]) -> None:
    for one in accounts:
        facts = (str(one.patient_id), one.account_id.translate(_UNSAFE), str(one.patient_version))
        lines.write("\t".join((*facts, "t\n" if one.is_closed else "f\n")).encode())


@contextmanager
def _told() -> Iterator[None]:
    try:
        yield
    except BillingError as error:
        raise StoreAway(
            "Billing does not answer. See BILLING_GRPC_ADDRESS, and check again."
        ) from error
