"""Where a page of hits begins, and the cursor that holds it."""

from dataclasses import dataclass
from uuid import UUID

from portal.pagination import from_microseconds, to_microseconds
from portal.patients.search.conditions import Condition
from portal.patients.search.moment import Moment
from portal.sealed_cursor import MARK_LENGTH, open_cursor, seal_cursor


@dataclass(frozen=True)
class Position:
    """A page begins after this hit of the page before.

    All of it is kept, and nothing of it is read anew: the patient may have another name by now, or
    be gone, and the others must neither be left out nor come twice.
    """

    key: str  # Of the interpretation.
    place: str  # What the hit was sorted by: a name.
    last_id: UUID
    begun: Moment  # When the first page was read.
    first_hit_ids: tuple[tuple[UUID, ...], tuple[UUID, ...]] = ((), ())  # See FirstHits.
    guesses: tuple[str, ...] = ()  # The marks of all approximate hits that were shown.

    def is_later(self, order: Condition) -> Condition:
        """Returns the condition to come later in this order."""
        return Condition(
            f"({order.sql}, patients_patient.id) > (%s, %s::uuid)",
            (*order.values, self.place, self.last_id),
        )

    def encode(self, text: str) -> str:
        """Returns the cursor, which is good for a search of the same text."""
        first_ids = [[patient_id.hex for patient_id in ids] for ids in self.first_hit_ids]
        values = [
            self.key,
            self.place,
            self.last_id.hex,
            to_microseconds(self.begun.since),
            self.begun.seen_events,
            *first_ids,
            "".join(self.guesses),
        ]
        return seal_cursor(values, purpose=_purpose(text))


def parse_position(cursor: str, text: str) -> Position | None:
    """Returns where the page begins; None at the beginning. InvalidInput for another's cursor."""
    if not cursor:
        return None
    key, place, last_id, microseconds, seen, first, commoner, marks = open_cursor(
        cursor, purpose=_purpose(text)
    )
    return Position(
        key,
        place,
        UUID(last_id),
        Moment(from_microseconds(microseconds), tuple(seen)),
        (tuple(map(UUID, first)), tuple(map(UUID, commoner))),
        tuple(marks[at : at + MARK_LENGTH] for at in range(0, len(marks), MARK_LENGTH)),
    )


def _purpose(text: str) -> str:
    return f"list of patients {' '.join(text.split())}"
