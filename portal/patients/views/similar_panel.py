"""The panel of similar patients beside the form, and the token that proves whom it has shown."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.core import signing
from django.http import HttpResponse

from portal.accounts.models import User
from portal.patients.matching.rules import Match
from portal.patients.models import Patient, Source
from portal.patients.selectors import similar_patients

SALT = "patients.similar"
TOKEN_HOURS = 12  # after which a panel no longer proves that it showed its patients


@dataclass(frozen=True)
class Panel:
    """The similar patients, each with its match, and how they differ from the panel before.

    `shown` is the token of these patients, which the form sends back.
    """

    matches: list[tuple[Patient, Match]]
    shown: str
    is_unchanged: bool
    has_new_strong_match: bool

    @property
    def needs_override_reason(self) -> bool:
        """Tells whether the user has to give a reason before saving."""
        has_strong_match = any(match.grade.is_strong for _, match in self.matches)
        return has_strong_match and not self.has_taken_identifier

    @property
    def has_taken_identifier(self) -> bool:
        """Tells whether an identifier belongs to one of them; then no reason helps."""
        return any(match.shared_identifiers for _, match in self.matches)


def panel_for(
    user: User,
    details: Mapping[str, Any],
    *,
    seen: str,
    changed_id: UUID | None = None,
    before: Mapping[str, Any] | None = None,
) -> Panel:
    """Returns the patients whom these details may mean.

    `changed_id` and `before` are those of `similar_patients`. `seen` is the token of the panel
    before: no second access record is written for its patients.
    """
    shown_before = shown_in(seen, user)
    matches = similar_patients(
        user,
        details,
        channel=Source.PORTAL,
        seen=shown_before,
        changed_id=changed_id,
        before=before,
    )
    shown_now = {patient.pk for patient, _ in matches}
    strong = {patient.pk for patient, match in matches if match.grade.is_strong}
    content = [user.pk, sorted(patient_id.hex for patient_id in shown_now)]
    return Panel(
        matches,
        shown=signing.dumps(content, salt=SALT, compress=True),
        is_unchanged=shown_now == shown_before,
        has_new_strong_match=bool(strong - shown_before),
    )


def shown_in(token: str, user: User) -> set[UUID]:
    """Returns the patients that were shown to this user; none if the token is not valid."""
    try:
        user_id, patient_ids = signing.loads(token, salt=SALT, max_age=TOKEN_HOURS * 3600)
    except signing.BadSignature:
        return set()
    return {UUID(patient_id) for patient_id in patient_ids} if user_id == user.pk else set()


def keep_panel_if_unchanged(response: HttpResponse, panel: Panel) -> HttpResponse:
    """Tells htmx to leave an unchanged panel: nothing moves while the user chooses."""
    if panel.is_unchanged:
        response["HX-Reswap"] = "none"
    return response
