"""The panel of those who may be registered already, and the proof of whom it has shown."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.core import signing

from portal.accounts.models import User
from portal.patients.matching.rules import Match
from portal.patients.models import Patient, Source
from portal.patients.selectors import similar_patients

SALT = "patients.similar"
HOURS = 12


@dataclass(frozen=True)
class Panel:
    """Whom it shows with the match of each, the token that says so, and what changed since the last one."""

    found: list[tuple[Patient, Match]]
    shown: str
    is_unchanged: bool
    brings_strong: bool

    @property
    def asks(self) -> bool:
        """Whether the one choice has to be made before saving."""
        return any(match.grade.is_strong for _, match in self.found) and not self.is_held

    @property
    def is_held(self) -> bool:
        """Whether an identifier belongs to one of them: no choice helps then."""
        return any(match.shared_identifiers for _, match in self.found)


def panel_for(
    user: User,
    details: Mapping[str, Any],
    *,
    seen: str,
    but_for: UUID | None = None,
    before: Mapping[str, Any] | None = None,
) -> Panel:
    """Those whom these details may mean; `but_for` and `before` as in `similar_patients`.

    `seen` is the token of the panel before: who stood in it is not read again.
    """
    stood = shown_in(seen, user)
    found = similar_patients(
        user, details, channel=Source.PORTAL, seen=stood, but_for=but_for, before=before
    )
    now = {patient.pk for patient, _ in found}
    strong = {patient.pk for patient, match in found if match.grade.is_strong}
    token = signing.dumps([user.pk, sorted(one.hex for one in now)], salt=SALT, compress=True)
    return Panel(found, token, is_unchanged=now == stood, brings_strong=bool(strong - stood))


def shown_in(token: str, user: User) -> set[UUID]:
    """The patients that this token says were shown to this user today; none for one that is not ours."""
    try:
        reader, ids = signing.loads(token, salt=SALT, max_age=HOURS * 3600)
    except signing.BadSignature:
        return set()
    return {UUID(one) for one in ids} if reader == user.pk else set()
