"""Files of patients, read row by row: CSV, FHIR NDJSON and FHIR Bundles. Nothing here touches the database."""

from portal.imports.readers.opening import open_patients
from portal.imports.readers.rows import PatientFile, Problem, Row, Unreadable

__all__ = ["PatientFile", "Problem", "Row", "Unreadable", "open_patients"]
