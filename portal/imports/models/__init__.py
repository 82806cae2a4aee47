"""What is stored of an import: the job, its rows, the questions about them, and saved columns."""

from portal.imports.models.choices import (
    ENDED,
    LEFT_ALONE,
    Choice,
    Doubt,
    DuplicatePolicy,
    JobStatus,
    Outcome,
    UndoResult,
)
from portal.imports.models.job import ImportJob
from portal.imports.models.profile import MappingProfile
from portal.imports.models.question import ImportQuestion
from portal.imports.models.row import ImportedRow, ImportReject

__all__ = [
    "ENDED",
    "LEFT_ALONE",
    "Choice",
    "Doubt",
    "DuplicatePolicy",
    "ImportJob",
    "ImportQuestion",
    "ImportReject",
    "ImportedRow",
    "JobStatus",
    "MappingProfile",
    "Outcome",
    "UndoResult",
]
