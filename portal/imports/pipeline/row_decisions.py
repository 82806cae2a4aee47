"""What a person chose for rows in doubt, put in the place of what the rules would do."""

from dataclasses import replace
from typing import Any
from uuid import UUID

from portal.imports.matching.decision import Decision, has_value, new_patient, refusal, without_name
from portal.imports.matching.diff import changes_for
from portal.imports.matching.lookup import ExistingPatients, KnownPatient
from portal.imports.matching.row import CheckedRow
from portal.imports.models import Choice, Doubt, ImportQuestion, Outcome
from portal.imports.readers import Problem
from portal.patients.models import Status

READ_AHEAD = 1_000


class RowDecisions:
    """The choices of a trial, read ahead as the import goes through the rows. See Settle."""

    def __init__(self, trial_id: UUID) -> None:
        self.trial_id = trial_id
        self.begin, self.end = 0, 0  # The rows that were read ahead: from `begin` to before `end`.
        self.chosen: dict[int, ImportQuestion] = {}

    def __call__(
        self, decision: Decision, candidate: CheckedRow, known: ExistingPatients
    ) -> Decision:
        """A choice counts only for the question that was asked; if things have changed since, the rules decide."""
        chosen = self._of(candidate.row.number)
        if chosen is None or not _is_about(chosen, decision):
            return decision
        if chosen.choice == Choice.SKIP:
            return refusal(candidate.row, [Problem("", "", "It was left out in the review.")])
        if chosen.choice == Choice.NEW:
            return _new(candidate, known, decision, reason=chosen.reason)
        person = known.people.get(chosen.patient_id or decision.people[0])
        if person is None or person.id not in decision.people or person.status != Status.ACTIVE:
            return decision
        return _update(candidate, person, known, only_blanks=chosen.choice == Choice.FILL)

    def _of(self, row: int) -> ImportQuestion | None:
        if not self.begin <= row < self.end:
            self._read_ahead(row)
        return self.chosen.get(row)

    def _read_ahead(self, row: int) -> None:
        answered = ImportQuestion.objects.filter(job=self.trial_id, row_number__gte=row).exclude(
            choice=""
        )
        rows = list(answered.order_by("row_number")[:READ_AHEAD])
        self.begin, self.end = row, rows[-1].row_number + 1 if len(rows) == READ_AHEAD else 2**63
        self.chosen = {one.row_number: one for one in rows}


def _is_about(chosen: ImportQuestion, decision: Decision) -> bool:
    """Whether the choice was made about this: somebody alike who came later was not looked at."""
    return chosen.doubt == decision.doubt and {one.who for one in decision.alike} <= {
        one["who"] for one in chosen.alike
    }


def _new(
    candidate: CheckedRow, known: ExistingPatients, decision: Decision, *, reason: str
) -> Decision:
    """A person of their own, without the identifiers that others hold."""
    own = _without(candidate, {pair for pair in candidate.pairs if known.holders.get(pair)})
    if not (own.details.get("family_name") or own.details.get("given_name")):
        return without_name(own)
    people = decision.people if decision.doubt in (Doubt.LIKELY, Doubt.ALIKE) else ()
    return replace(new_patient(own), people=people, alike=decision.alike, reason=reason)


def _update(
    candidate: CheckedRow, person: KnownPatient, known: ExistingPatients, *, only_blanks: bool
) -> Decision:
    """A change of this patient, who gets no identifier that another one holds."""
    others = {pair for pair in candidate.pairs if known.holders.get(pair, set()) - {person.id}}
    changes = changes_for(_without(candidate, others), person)
    if only_blanks:
        changes = {name: value for name, value in changes.items() if not has_value(person, name)}
    outcome = Outcome.UPDATED if changes else Outcome.UNCHANGED
    return Decision(candidate.row, outcome, person.id, changes)


def _without(candidate: CheckedRow, pairs: set[tuple[str, str]]) -> CheckedRow:
    details: dict[str, Any] = dict(candidate.details)
    if pairs:
        details["identifiers"] = [
            one for one in details["identifiers"] if (one["system"], one["value"]) not in pairs
        ]
    return replace(candidate, details=details)
