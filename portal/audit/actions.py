"""Changes of patients in words, by the label of the log."""

from typing import Any

from portal.patients.fields import RECORDED
from portal.patients.models import Patient, PatientEvent, Status
from portal.patients.models.log import DELETED, INSERTED, UPDATED

CHANGE_NAMES = {INSERTED: "Registered", UPDATED: "Changed", DELETED: "Erased"}
_BY_STATUS = {
    Status.ACTIVE: "Restored",
    Status.ARCHIVED: "Archived",
    Status.MERGED: "Merged into another record",
}
_MERGES = {  # Whether the row is the survivor's, and whether it undoes a merge.
    (True, False): "Merged another record into it",
    (True, True): "Undid the merge of another record into it",
    (False, False): "Merged into another record",
    (False, True): "Undid its merge into another record",
}
# These change together with a field that is named already.
_DERIVED = {"phone_e164", "date_of_birth_precision"}


def describe_change(event: PatientEvent, before: PatientEvent | None) -> str:
    """Returns such as `Changed phone, city`: names of fields, and no value.

    `before` is the version that an update changed.
    """
    if event.pgh_label != UPDATED or before is None:
        return CHANGE_NAMES[event.pgh_label]
    if merge := (event.pgh_context or {}).get("merge"):
        return _MERGES["duplicate" in merge, bool(merge.get("undone"))]
    names = [name for name in RECORDED if getattr(event, name) != getattr(before, name)]
    if "status" in names:
        return _BY_STATUS[event.status]
    labels = [_label(name) for name in names if name not in _DERIVED] or ["identifiers"]
    return f"Changed {', '.join(labels)}"


def _label(name: str) -> str:
    field: Any = Patient._meta.get_field(name)
    return str(field.verbose_name).replace("line1", "line 1").replace("line2", "line 2")
