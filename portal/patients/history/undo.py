"""Take back the last change of a record: what it changed gets the values of the version before."""

from uuid import UUID

from portal.accounts.models import User
from portal.errors import Conflict, StaleVersion
from portal.patients.history.log import Change, changes_of, record_as_of
from portal.patients.models import Patient
from portal.patients.selectors import patients_visible_to
from portal.patients.services import change_patient

_NOT_BY_HAND = {"mrn", "source", "status", "phone_e164", "merged_into_id"}


def is_undoable(change: Change) -> bool:
    """Whether `undo_change` can take it back: archiving and merging have an undo of their own, registering has none."""
    names = {name for name, _, _ in change.fields}
    return (
        change.kind == "update"
        and not change.merge
        and not names & _NOT_BY_HAND
        and bool(names or change.lost or change.got)
    )


def undo_change(patient_id: UUID, *, version: int, by: User, source: str) -> Patient:
    """The patient with what `version` changed put back, as a new version; whoever sees the log sees both.

    StaleVersion if the record was changed since; Conflict if this change cannot be taken back, or if an identifier
    went to somebody else meanwhile.
    """
    patient = (
        patients_visible_to(by)
        .prefetch_related("identifiers")
        .filter(pk=patient_id, version=version)
        .first()
    )
    if patient is None:
        raise StaleVersion(
            "Someone changed this patient since. Look at the history, and correct what is wrong."
        )
    change = changes_of(by, patient, before=version + 1, limit=1).changes[0]
    state = record_as_of(by, patient, version=version - 1)
    if state is None or not is_undoable(change):
        raise Conflict("This change cannot be taken back in one step. Edit the patient instead.")
    details = {name: getattr(state.patient, name) for name, _, _ in change.fields}
    if change.lost or change.got:
        details["identifiers"] = [one._asdict() for one in state.identifiers]
    return change_patient(patient_id, details, by=by, source=source, expected_version=version)
