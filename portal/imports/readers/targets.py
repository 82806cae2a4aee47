"""What a column can become, in the words of the staff pages and in groups for a list."""

from portal.imports.readers.columns import ACTIVE, DECEASED, IDENTIFIER_CELL, MRN, RECORD, STATUS
from portal.patients.fields import ENTERED_FIELDS, PatientField, Section


def _label(field: PatientField) -> str:
    return field.import_label or field.label


def _group(section: Section) -> tuple[str, list[tuple[str, str]]]:
    """Returns the section's heading, and name and label of its fields in the order of the list."""
    fields = [field for field in ENTERED_FIELDS if field.section == section]
    fields.sort(key=lambda field: field.import_order or field.order)
    return section.value, [(field.name, _label(field)) for field in fields]


_IDENTIFIERS = [
    (RECORD, "Record id at the source (UUID)"),
    (MRN, "MRN at the source"),
    ("ssn", "Social security number"),
    ("driver", "Driver's licence"),
    ("passport", "Passport"),
    ("insurance", "Insurance number"),
    ("mrn-other", "MRN elsewhere"),
    ("record-id", "Record id (any)"),
    (IDENTIFIER_CELL, "Identifiers as system|value"),
]
_RECORD = [
    (DECEASED, "Has died: yes or no"),
    (ACTIVE, "Is in use at the source: yes or no"),
    (STATUS, "Status at the source: active, archived …"),
]
GROUPS: list[tuple[str, list[tuple[str, str]]]] = [
    _group(Section.NAME),
    _group(Section.PERSON),
    _group(Section.CONTACT),
    ("Identifiers", _IDENTIFIERS),
    ("Record", _RECORD),
]
LABELS = {name: label for _, targets in GROUPS for name, label in targets}
# What most files have: the page names those that no column becomes.
EXPECTED = {
    field.name: _label(field).lower() for field in ENTERED_FIELDS if field.is_expected_in_files
}
# Digits that lose their leading zeros where a spreadsheet takes them for numbers.
DIGITS = {field.name for field in ENTERED_FIELDS if field.loses_zeros} | {
    MRN,
    IDENTIFIER_CELL,
    "ssn",
    "driver",
    "passport",
    "insurance",
    "mrn-other",
}
