"""Undo the last change of a record: what it changed gets the values of the version before."""

from uuid import UUID

from portal.accounts.models import User
from portal.errors import Conflict, StaleVersion
from portal.patients.fields import ENTERED
from portal.patients.history.log import Change, changes_of, record_as_of
from portal.patients.models import Patient
from portal.patients.selectors import patients_visible_to
from portal.patients.services import change_patient


def is_undoable(change: Change) -> bool:
    """Returns whether `undo_change` can undo it.

    Archiving and merging have an undo of their own, and registering has none.
    """
    names = {name for name, _, _ in change.fields}
    return (
        change.kind == "update"
        and not change.merge
        and names.issubset(ENTERED)
        and bool(names or change.removed or change.added)
    )


def undo_change(patient_id: UUID, *, version: int, by: User, source: str) -> Patient:
    """Undoes what `version` changed, as a new version; the log keeps both.

    Raises StaleVersion if the record was changed since, and Conflict if this change cannot be
    undone, or if an identifier went to another patient meanwhile.
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
    change = changes_of(by, patient, before=version + 1, limit=1).rows[0]
    previous = record_as_of(by, patient, version=version - 1)
    if previous is None or not is_undoable(change):
        raise Conflict("This change cannot be taken back in one step. Edit the patient instead.")
    details = {name: getattr(previous.patient, name) for name, _, _ in change.fields}
    if change.removed or change.added:
        details["identifiers"] = [identifier._asdict() for identifier in previous.identifiers]
    return change_patient(patient_id, details, by=by, source=source, expected_version=version)
