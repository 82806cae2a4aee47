"""Somebody who may be the person of a row: a patient on record, or one whom an earlier row of the file makes."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from portal.patients.matching.duplicates import Match


@dataclass(frozen=True)
class Alike:
    """A likely match. `row` is the earlier row of this file that was about this person, 0 if there is none."""

    id: UUID
    row: int
    label: str
    match: Match

    @property
    def who(self) -> str:
        """The same for the trial and for the import, which makes the people of its earlier rows anew."""
        return f"row {self.row}" if self.row else str(self.id)

    def as_json(self) -> dict[str, Any]:
        """For the question that is asked about it, and for reports; it names no value of anybody."""
        return {
            "who": self.who,
            "label": self.label,
            "grade": self.match.grade.value,
            "reasons": [*self.match.reasons],
        }


def held_back(alike: Sequence[Alike]) -> str:
    """Why a row is not imported, in words."""
    first = alike[0]
    others = f" and {len(alike) - 1} more" if len(alike) > 1 else ""
    reasons = ", ".join(first.match.reasons)
    return f"This may be {first.label}{others} ({reasons}). Nobody has said that it is another person."
