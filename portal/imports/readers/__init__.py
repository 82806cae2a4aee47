"""Reads files of patients row by row: CSV, XLSX, FHIR NDJSON and FHIR Bundles.

Nothing here touches the database.
"""

from portal.imports.readers.detection import open_patients, recognise_file
from portal.imports.readers.rows import PatientFile, Problem, Row, Unreadable
from portal.imports.readers.tables import TableFile, TableSettings

__all__ = [
    "PatientFile",
    "Problem",
    "Row",
    "TableFile",
    "TableSettings",
    "Unreadable",
    "open_patients",
    "recognise_file",
]
