"""What a column can become, in the words of the staff pages and in groups for a list to choose from."""

from portal.imports.readers.columns import MRN, RECORD, TOKENS

GROUPS: list[tuple[str, list[tuple[str, str]]]] = [
    ("Name", [
        ("family_name", "Family name"), ("given_name", "Given name"), ("middle_name", "Middle name"),
        ("prefix", "Title"), ("suffix", "Suffix"), ("preferred_name", "Preferred name"),
    ]),
    ("Person", [
        ("date_of_birth", "Date of birth"), ("date_of_birth_precision", "How exact the birth date is"),
        ("sex", "Sex"), ("deceased_on", "Died on"), ("marital_status", "Marital status"), ("race", "Race"),
        ("ethnicity", "Ethnicity"), ("language", "Language"), ("registered_on", "Registered on"),
    ]),
    ("Contact", [
        ("phone", "Phone"), ("email", "E-mail"), ("address_line1", "Address, line 1"),
        ("address_line2", "Address, line 2"), ("city", "City"), ("region", "State or region"),
        ("postal_code", "Postal code"), ("country", "Country"),
    ]),
    ("Identifiers", [
        (RECORD, "Record id at the source (UUID)"), (MRN, "MRN at the source"), ("ssn", "Social security number"),
        ("driver", "Driver's licence"), ("passport", "Passport"), ("insurance", "Insurance number"),
        ("mrn-other", "MRN elsewhere"), ("record-id", "Record id (any)"), (TOKENS, "Identifiers as system|value"),
    ]),
]  # fmt: skip
LABELS = {name: label for _, targets in GROUPS for name, label in targets}
WANTED = {
    "family_name": "family name",
    "given_name": "given name",
    "date_of_birth": "date of birth",
    "sex": "sex",
}  # What most files have; the page names those that no column becomes.
DIGITS = {
    "phone",
    "postal_code",
    MRN,
    TOKENS,
    "ssn",
    "driver",
    "passport",
    "insurance",
    "mrn-other",
}
