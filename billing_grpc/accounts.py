"""The rules of billing accounts. They know neither gRPC nor the database."""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Protocol
from uuid import UUID

LARGEST_BATCH = 500  # Requests in one call.
LARGEST_PAGE = 1000  # Accounts.
USUAL_PAGE = 100  # Accounts, where the caller does not say.
LONGEST_NAME = 600  # Characters.
LONGEST_CLIENT_ID = 100  # Characters of an id that is no UUID.
LONGEST_EMAIL = 254  # Characters; RFC 5321: no longer address can be written to.

_UUID = re.compile(
    r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.IGNORECASE | re.ASCII
)
_COMPACT_UUID = re.compile(r"[0-9a-f]{32}", re.ASCII)
_PAGE_TOKEN = re.compile(r"BA-(\d{9,18})", re.ASCII)


# A patient of the portal has a UUID. Text is the id of an older client, which the portal does not
# know.
PatientId = UUID | str


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with one field. The text never repeats the value."""

    field: str
    text: str


class InvalidRequest(Exception):
    """A request has wrong fields; nothing was changed."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__(", ".join(problem.field for problem in self.problems))

    def naming(self, **names: str) -> "InvalidRequest":
        """Returns the error with other names for fields, as `patient_id="patientId"`."""
        return InvalidRequest(
            Problem(names.get(problem.field, problem.field), problem.text)
            for problem in self.problems
        )


class NoAccount(Exception):
    """The patient has no account."""


class StoreAway(Exception):
    """The accounts cannot be reached now; the same call may be made again."""


@dataclass(frozen=True, slots=True)
class Details:
    """What a caller says about a patient; a `patient_version` that it does not know is 0."""

    patient_id: PatientId
    name: str
    email: str
    patient_version: int


@dataclass(frozen=True, slots=True)
class Account:
    """An account as it is now. It is closed when it has a closing time."""

    number: int
    patient_id: PatientId
    name: str
    email: str
    patient_version: int
    opened_at: datetime
    closed_at: datetime | None

    @property
    def account_id(self) -> str:
        return f"BA-{self.number:09d}"

    def has_details_of(self, details: Details) -> bool:
        return (self.name, self.email) == (details.name, details.email)


class Outcome(Enum):
    OPENED = "opened"
    EXISTED = "existed"
    EXISTED_WITH_OTHER_DETAILS = "existed with other details"


@dataclass(frozen=True, slots=True)
class Opening:
    account: Account
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class Page:
    """A page of accounts; `next_token` is empty on the last page."""

    accounts: list[Account]
    next_token: str


class Accounts(Protocol):
    """The store of accounts. Each call is one transaction and may raise StoreAway."""

    def add(
        self, details: Sequence[Details]
    ) -> tuple[dict[PatientId, Account], dict[PatientId, Account]]:
        """Opens an account for every patient who has none; `details` has no patient twice.

        Returns the accounts that were opened now, and those that were there before.
        """

    def find(self, patient_id: PatientId) -> Account | None: ...

    def renew(self, details: Details, *, is_closed: bool | None) -> Account | None:
        """Writes all where the version is higher than the account's, at an equal one the status.

        With `is_closed` None the status stays. Returns None where nothing was written.
        """

    def close(self, patient_id: PatientId) -> Account | None:
        """Closes the account; a closed one keeps its first closing time.

        Returns None where the patient has no account.
        """

    def after(self, number: int, *, limit: int) -> list[Account]:
        """Returns the accounts with a higher number, in the order of their numbers."""


def check_patient_id(patient_id: str) -> UUID:
    """Parses a UUID in its usual form of 36 characters; raises InvalidRequest for anything else."""
    if not _UUID.fullmatch(patient_id):
        raise InvalidRequest([Problem("patient_id", "must be a UUID of 36 characters")])
    return UUID(patient_id)


def check_client_patient_id(patient_id: str) -> PatientId:
    """Parses the id of an older client: a UUID in any form, else trimmed text.

    Raises InvalidRequest for text that is empty, too long, or has control characters.
    """
    text = patient_id.strip()
    compact = re.sub(r"^urn:uuid:|[{}-]", "", text.lower())
    if _COMPACT_UUID.fullmatch(compact):
        return UUID(compact)
    problem = _wrong_text(text, LONGEST_CLIENT_ID) if text else "is required"
    if not problem and not text.isprintable():
        problem = "must not have control characters"
    if problem:
        raise InvalidRequest([Problem("patient_id", problem)])
    return text


def check_details(patient_id: str, name: str, email: str, patient_version: int = 0) -> Details:
    """Trims and checks what a caller sent; raises InvalidRequest with every wrong field."""
    return _check_details(check_patient_id, patient_id, name, email, patient_version)


def check_older_details(patient_id: str, name: str, email: str) -> Details:
    """As `check_details`, for a client that may know its patients by other ids than UUIDs."""
    return _check_details(check_client_patient_id, patient_id, name, email, 0)


def check_batch(batch: Sequence[tuple[str, str, str, int]]) -> list[Details]:
    """Checks many, each as the arguments of `check_details`.

    Raises InvalidRequest for more than LARGEST_BATCH, or with every wrong field, such as
    `requests[3].name`.
    """
    if len(batch) > LARGEST_BATCH:
        text = f"must be at most {LARGEST_BATCH}, not {len(batch)}"
        raise InvalidRequest([Problem("requests", text)])
    checked, problems = [], []
    for index, arguments in enumerate(batch):
        try:
            checked.append(check_details(*arguments))
        except InvalidRequest as error:
            problems += [
                Problem(f"requests[{index}].{problem.field}", problem.text)
                for problem in error.problems
            ]
    if problems:
        raise InvalidRequest(problems)
    return checked


def open_accounts(accounts: Accounts, wanted: Sequence[Details]) -> list[Opening]:
    """Opens an account for each patient, or returns the present one, in the order of `wanted`.

    Calling again changes nothing. Where `wanted` has a patient twice, the first mention counts.
    """
    first = {details.patient_id: details for details in reversed(wanted)}
    opened, present = accounts.add(list(first.values()))
    openings = []
    for details in wanted:
        account = opened.get(details.patient_id)
        is_new = account is not None and details is first[details.patient_id]
        account = account or present[details.patient_id]
        openings.append(Opening(account, _outcome(account, details, is_new=is_new)))
    return openings


def find_account(accounts: Accounts, patient_id: str) -> Account:
    """Returns the patient's account; raises InvalidRequest and NoAccount."""
    return _existing(accounts.find(check_patient_id(patient_id)))


def renew_account(
    accounts: Accounts, details: Details, *, is_closed: bool | None = None
) -> tuple[Account, bool]:
    """Brings name, e-mail and, unless `is_closed` is None, the status up to the patient's version.

    Returns the account as it is now, and whether it was changed. A lower version changes nothing,
    and an equal one only the status, since the account may have been closed meanwhile. Raises
    InvalidRequest without a version, and NoAccount.
    """
    if details.patient_version < 1:
        raise InvalidRequest([Problem("patient_version", "must be 1 or more")])
    if renewed := accounts.renew(details, is_closed=is_closed):
        return renewed, True
    return _existing(accounts.find(details.patient_id)), False


def close_account(accounts: Accounts, patient_id: str) -> Account:
    """Closes an account; a closed one stays as it is. Raises InvalidRequest and NoAccount."""
    return _existing(accounts.close(check_patient_id(patient_id)))


def list_accounts(accounts: Accounts, *, page_size: int, page_token: str) -> Page:
    """Returns a page in the order of account ids; `page_size` 0 means USUAL_PAGE.

    Raises InvalidRequest.
    """
    token = _PAGE_TOKEN.fullmatch(page_token)
    if page_token and not token:
        raise InvalidRequest([Problem("page_token", "is not from the page before")])
    if not 0 <= page_size <= LARGEST_PAGE:
        raise InvalidRequest([Problem("page_size", f"must be from 0 to {LARGEST_PAGE}")])
    size = page_size or USUAL_PAGE
    found = accounts.after(int(token[1]) if token else 0, limit=size + 1)
    page = found[:size]
    return Page(page, page[-1].account_id if len(found) > size else "")


def _check_details(
    parse_id: Callable[[str], PatientId], patient_id: str, name: str, email: str, version: int
) -> Details:
    name, email = name.strip(), email.strip()
    parsed: PatientId = ""
    problems: list[Problem] = []
    try:
        parsed = parse_id(patient_id)
    except InvalidRequest as error:
        problems += error.problems
    texts = {
        "name": _wrong_text(name, LONGEST_NAME) if name else "is required",
        "email": _wrong_email(email) if email else "",
        "patient_version": "must not be negative" if version < 0 else "",
    }
    problems += [Problem(field, text) for field, text in texts.items() if text]
    if problems:
        raise InvalidRequest(problems)
    return Details(parsed, name, email, version)


def _outcome(account: Account, details: Details, *, is_new: bool) -> Outcome:
    if is_new:
        return Outcome.OPENED
    if account.has_details_of(details):
        return Outcome.EXISTED
    return Outcome.EXISTED_WITH_OTHER_DETAILS


def _existing(account: Account | None) -> Account:
    if account is None:
        raise NoAccount
    return account


def _wrong_text(text: str, longest: int) -> str:
    if len(text) > longest:
        return f"must be at most {longest} characters"
    # PostgreSQL cannot keep this character in any text.
    return "must not have the character U+0000" if "\0" in text else ""


def _wrong_email(email: str) -> str:
    before, _, after = email.rpartition("@")
    wrong_form = "" if before and after else "must be an e-mail address"
    return _wrong_text(email, LONGEST_EMAIL) or wrong_form
