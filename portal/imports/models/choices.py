"""The stored words of an import: statuses, outcomes, doubts and what a user may choose."""

from django.db.models import TextChoices


class JobStatus(TextChoices):
    MAPPING = "mapping", "Columns to be set"
    WAITING = "waiting", "Waiting"
    RUNNING = "running", "Running"
    DONE = "done", "Done"
    FAILED = "failed", "Failed"
    UNDOING = "undoing", "Being undone"
    UNDONE = "undone", "Undone"


ENDED = [JobStatus.DONE, JobStatus.FAILED, JobStatus.UNDONE]
TABLE_FORMATS = ["csv", "xlsx"]  # Files with columns that become fields.


class DuplicatePolicy(TextChoices):
    """What becomes of new people who may be registered already and have no row decision."""

    REGISTER = "register", "Register them"
    REFUSE = "refuse", "Hold them back"


class Outcome(TextChoices):
    """What became of a row."""

    NEW = "new", "New"
    UPDATED = "updated", "Updated"
    UNCHANGED = "unchanged", "Unchanged"
    DUPLICATE = "duplicate", "Duplicate"
    REJECTED = "rejected", "Rejected"


class Doubt(TextChoices):
    """Why a user may want to decide about a row."""

    SAME_NAME_AND_BIRTH = "likely", "Likely the same person as a patient"
    DIFFERENT_PERSON = "apart", "An identifier of a patient who differs"
    CONFLICT = "conflict", "Identifiers of different patients"
    OVERWRITE = "overwrite", "Would overwrite what is recorded"
    SET_ASIDE = "setaside", "Would bring back what a person set aside"
    POSSIBLE_DUPLICATE = "alike", "May be registered already"


class Choice(TextChoices):
    """What a user chose for a row in doubt."""

    SKIP = "skip", "Leave the row out"
    UPDATE = "update", "Update the patient"
    FILL = "fill", "Add only what is missing"
    KEEP = "keep", "Leave as it is what a person set aside"
    NEW = "new", "Register a new person"


class RemarkKind(TextChoices):
    """What is to be said of a row that came in."""

    OVERWRITTEN = "overwrote", "Overwritten"
    KEPT = "kept", "Left as it is"
    LEFT_OUT = "omitted", "Left out"
    MERGED = "merged", "Merged cell"


class UndoResult(TextChoices):
    """What undoing the import did to a patient whom it had made or changed."""

    ARCHIVED = "archived", "Archived."
    RESTORED = "restored", "Back to what it was before the import."
    CHANGED = "changed", "Left alone: somebody changed this patient after the import."
    LATER = (
        "later",
        "Left alone: another import changed this patient afterwards. Undo that one first.",
    )
    GONE = "gone", "Left alone: this patient is not there any more."


LEFT_ALONE = [UndoResult.CHANGED, UndoResult.LATER, UndoResult.GONE]
