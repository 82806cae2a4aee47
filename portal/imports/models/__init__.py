"""What is stored of an import: the job, its rows, the questions about them, and saved columns."""

from portal.imports.models.choices import (
    ENDED,
    LEFT_ALONE,
    Choice,
    Doubt,
    DuplicatePolicy,
    JobStatus,
    Outcome,
    RemarkKind,
    UndoResult,
)
from portal.imports.models.job import ImportJob
from portal.imports.models.profile import MappingProfile
from portal.imports.models.question import ImportQuestion
from portal.imports.models.row import ImportedRow, ImportReject, ImportRemark

__all__ = [
    "ENDED",
    "LEFT_ALONE",
    "Choice",
    "Doubt",
    "DuplicatePolicy",
    "ImportJob",
    "ImportQuestion",
    "ImportReject",
    "ImportRemark",
    "ImportedRow",
    "JobStatus",
    "MappingProfile",
    "Outcome",
    "RemarkKind",
    "UndoResult",
]
