"""What becomes of each row: a new patient, a change of a known one, nothing, or a refusal with its reason."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol
from uuid import UUID

from django.utils import timezone
from uuid_utils.compat import uuid7

from portal.errors import InvalidInput
from portal.imports.matching.diff import changes_for, is_different_person
from portal.imports.matching.lookup import (
    COLUMNS,
    DATES,
    ExistingPatients,
    KnownPatient,
    PossibleMatch,
    reason_to_hold_back,
)
from portal.imports.matching.row import CheckedRow, checked, problems_from_error
from portal.imports.models import Doubt, Outcome
from portal.imports.readers import Problem, Row
from portal.patients.models import Status
from portal.patients.validation import validate_details

# What to do about a row whose patient takes no changes as the record is.
_FIRST = {
    Status.ARCHIVED: "Restore the patient first.",
    Status.MERGED: "Open that record to see which one stands for the person, and use its MRN.",
}


@dataclass(frozen=True)
class Decision:
    """A row and what becomes of it. `details` are those of a new patient, or the changes of a known one.

    `doubt` is the kind of question that a person may answer otherwise, about the patients in `people`. `alike` are
    those who may be the new patient; `reason` is why they are others, if a person has said so.
    """

    row: Row
    outcome: Outcome
    patient_id: UUID | None = None
    details: dict[str, Any] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    doubt: str = ""
    people: tuple[UUID, ...] = ()
    alike: tuple[PossibleMatch, ...] = ()
    reason: str = ""

    @property
    def is_unasked(self) -> bool:
        """Whether a patient is made who may be registered already, and nobody has looked at that."""
        return self.outcome == Outcome.NEW and bool(self.alike) and not self.reason


class PatientLookup(Protocol):
    """What an import needs to know of the patients, and of its own earlier rows."""

    def find_patients(self, candidates: Sequence[CheckedRow]) -> ExistingPatients:
        """The people whom these rows may be about."""

    def earlier_rows(self, patient_ids: Iterable[UUID]) -> dict[UUID, int]:
        """The numbers of the rows of this import that were about these patients already."""


RowDecider = Callable[[Decision, CheckedRow, ExistingPatients], Decision]


def as_decided(decision: Decision, _candidate: CheckedRow, _known: ExistingPatients) -> Decision:
    """Nobody answered what was in doubt."""
    return decision


def decide(
    rows: Sequence[Row],
    *,
    memory: PatientLookup,
    allow_duplicates: bool,
    holds_back: bool = False,
    settle: RowDecider = as_decided,
) -> list[Decision]:
    """A decision for each row in order, up to the first row that depends on one before it which is not written yet.

    That row and the ones behind it belong into the next batch; the answer is never empty. `settle` has the last word
    on a decision that is in doubt.
    """
    results = [(row, checked(row)) for row in rows]
    known = memory.find_patients(
        [result for _, result in results if isinstance(result, CheckedRow)]
    )
    judge = DecisionRules(
        known,
        memory.earlier_rows(known.people),
        allow_duplicates=allow_duplicates,
        holds_back=holds_back,
    )
    decisions: list[Decision] = []
    planned: dict[object, CheckedRow] = {}
    for row, result in results:
        if not isinstance(result, CheckedRow):
            decisions.append(refusal(row, result))
            continue
        keys = {*result.pairs, *known.holders_of(result), result.person}
        before = next((planned[key] for key in keys if key in planned), None)
        if before is None:
            decision = judge.decide(result)
            decisions.append(settle(decision, result, known) if decision.doubt else decision)
            planned |= dict.fromkeys(keys, result)
            _remember(decisions[-1], known)
        elif before.details == result.details:
            decisions.append(Decision(row, Outcome.DUPLICATE))
        else:
            break
    return decisions


def _remember(decision: Decision, known: ExistingPatients) -> None:
    if decision.outcome == Outcome.NEW and decision.patient_id:
        known.make(decision.patient_id, decision.row.number, decision.details)


def refusal(row: Row, problems: list[Problem]) -> Decision:
    """The row stays out, for these reasons."""
    return Decision(row, Outcome.REJECTED, problems=problems)


@dataclass(frozen=True)
class DecisionRules:
    """The rules, over what is known of a batch. `earlier` are the rows of this import about the same patients.

    `holds_back` refuses a new person who may be registered already.
    """

    known: ExistingPatients
    earlier: dict[UUID, int]
    allow_duplicates: bool
    holds_back: bool = False

    def decide(self, candidate: CheckedRow) -> Decision:
        """What becomes of this row."""
        holders = self.known.holders_of(candidate)
        if len(holders) > 1:
            who = " and ".join(sorted(self.known.people[one].label for one in holders))
            reason = f"Its identifiers belong to different patients: {who}."
            return _refused(candidate, reason, Doubt.CONFLICT, *sorted(holders))
        if holders:
            return self._of_known(candidate, self.known.people[holders.pop()])
        return self._of_unknown(candidate)

    def _of_known(self, candidate: CheckedRow, person: KnownPatient) -> Decision:
        if is_different_person(candidate, person):
            reason = f"Its identifier belongs to {person.label}, who differs in name, birth or sex."
            return _refused(candidate, reason, Doubt.APART, person.id)
        changes = changes_for(candidate, person)
        if person.is_undone:
            return self._back(candidate, person, changes)
        if not changes:
            return self._nothing_new(candidate, person)
        if person.status != Status.ACTIVE:
            advice = _FIRST[Status(person.status)]
            return _refused(candidate, f"This is {person.label}, who is {person.status}. {advice}")
        overwritten = (
            [name for name in changes if has_value(person, name)]
            if person.id in self.earlier
            else []
        )
        if overwritten:
            reason = f"Row {self.earlier[person.id]} of this file has another value for the same patient."
            return refusal(
                candidate.row, [candidate.row.problem(name, reason) for name in overwritten]
            )
        doubt = Doubt.OVERWRITE if any(has_value(person, name) for name in changes) else ""
        return Decision(
            candidate.row, Outcome.UPDATED, person.id, changes, doubt=doubt, people=(person.id,)
        )

    def _of_unknown(self, candidate: CheckedRow) -> Decision:
        if not (candidate.details.get("family_name") or candidate.details.get("given_name")):
            return without_name(candidate)
        active, undone = self._namesakes(candidate)
        for person in active + undone:
            if not changes_for(candidate, person):
                return self._of_known(candidate, person)
        return self._likely(candidate, active) or self._new(candidate)

    def _new(self, candidate: CheckedRow) -> Decision:
        """A new patient, unless somebody much like this is known and rows are held back for that."""
        alike = self.known.alike_to(candidate, self.earlier)
        people = tuple(one.id for one in alike if one.id not in self.known.made_by)
        if alike and self.holds_back and not self.allow_duplicates:
            return replace(
                _refused(candidate, reason_to_hold_back(alike), Doubt.ALIKE, *people), alike=alike
            )
        decision = replace(new_patient(candidate), alike=alike)
        return (
            replace(decision, doubt=Doubt.ALIKE, people=people)
            if alike and not self.allow_duplicates
            else decision
        )

    def _back(
        self, candidate: CheckedRow, person: KnownPatient, changes: dict[str, Any]
    ) -> Decision:
        """A person whom an undone import left archived is restored, not made a second time."""
        active, _ = self._namesakes(candidate)
        restored = changes | {"status": Status.ACTIVE}
        return self._likely(candidate, active) or Decision(
            candidate.row, Outcome.UPDATED, person.id, restored
        )

    def _namesakes(self, candidate: CheckedRow) -> tuple[list[KnownPatient], list[KnownPatient]]:
        """Of the same name and date of birth: patients who are active, and those archived by an undone import."""
        same = [self.known.people[one] for one in self.known.namesakes.get(candidate.person, [])]
        return [one for one in same if not one.is_undone], [one for one in same if one.is_undone]

    def _likely(self, candidate: CheckedRow, active: list[KnownPatient]) -> Decision | None:
        """The refusal of a row that is likely about one of these, unless duplicates are allowed."""
        if not active or self.allow_duplicates:
            return None
        reason = f"{active[0].label} has this name and date of birth. Change that patient, or allow duplicates."
        problem = candidate.row.problem("family_name", reason)
        people = tuple(person.id for person in active)
        return Decision(
            candidate.row, Outcome.REJECTED, problems=[problem], doubt=Doubt.LIKELY, people=people
        )

    def _nothing_new(self, candidate: CheckedRow, person: KnownPatient) -> Decision:
        outcome = Outcome.DUPLICATE if person.id in self.earlier else Outcome.UNCHANGED
        return Decision(candidate.row, outcome, person.id)


def new_patient(candidate: CheckedRow) -> Decision:
    """The row becomes a new patient, whose id is set before it is written: later rows may be alike."""
    return Decision(candidate.row, Outcome.NEW, uuid7(), complete(candidate.details))


def complete(details: dict[str, Any]) -> dict[str, Any]:
    """Every column said, so that the database has no default to compute: half of the time of a large import."""
    blank: dict[str, Any] = {
        name: None if name in DATES else "" for name in (*COLUMNS, "phone_e164")
    }
    return (
        blank
        | {
            "sex": "unknown",
            "date_of_birth_precision": "day",
            "registered_on": timezone.localdate(),
        }
        | details
    )


def has_value(person: KnownPatient, name: str) -> bool:
    """Whether the patient has a value that a change of this field would take away."""
    return name != "identifiers" and person.values.get(name) not in ("", None, "unknown")


def _refused(candidate: CheckedRow, reason: str, doubt: str = "", *people: UUID) -> Decision:
    problems = [Problem("", "", reason)]
    return Decision(candidate.row, Outcome.REJECTED, problems=problems, doubt=doubt, people=people)


def without_name(candidate: CheckedRow) -> Decision:
    """The words of the one check that every door uses."""
    try:
        validate_details(
            {name: value for name, value in candidate.details.items() if name != "phone_e164"}
        )
    except InvalidInput as error:
        return refusal(candidate.row, problems_from_error(candidate.row, error))
    raise AssertionError("A patient without a name passed the check.")
