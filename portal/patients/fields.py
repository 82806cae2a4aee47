"""The field table: every column of a patient, and what the rest of the portal does with it.

Plain data without a model, so that triggers, migrations' generator and benches can read it too.
"""

from dataclasses import KW_ONLY, dataclass
from enum import StrEnum

from portal.errors import camel


class Kind(StrEnum):
    """How a value is checked, compared and shown."""

    TEXT = "text"
    EMAIL = "email"
    PHONE = "phone"
    COUNTRY = "country"
    LANGUAGE = "language"
    DATE = "date"
    CHOICE = "choice"
    SYSTEM = "system"  # Set by the portal or the database, never entered.


class Section(StrEnum):
    """The heading that a field stands under."""

    NAME = "Name"
    PERSON = "Person"
    CONTACT = "Contact"
    RECORD = "Record"


@dataclass(frozen=True)
class PatientField:
    """One column of the patients' table.

    A field that people enter is in forms, in the API's bodies, in imports, exports and merges. The
    API also answers with some that they do not enter: those have a `json_name`.
    """

    name: str  # The column: for a foreign key with its `_id`.
    label: str = ""
    section: Section = Section.RECORD
    order: int = 0  # Its place on pages, in steps of ten; 0 for a field that pages do not list.
    _: KW_ONLY
    kind: Kind = Kind.TEXT
    is_entered: bool = True
    is_sensitive: bool = True  # It tells something about the person: never in logs and metrics.

    is_recorded: bool = True  # A change raises the version and is told in the history.
    is_in_log: bool = True  # The log keeps it; `id`, `version` and times are kept, not recorded.
    log_form: int = 1  # The audit's form of digests that it came with; see portal/audit/digests.py.

    json_name: str = ""  # In the API, where it is not the name in camelCase.
    json_help: str = ""  # What the OpenAPI document says of it.
    merge_choice: str = ""  # Fields with the same choice are merged together; empty: alone.

    form_label: str = ""  # In forms, where it is not the label.
    import_label: str = ""  # In the list of what a file's column can become; likewise.
    import_order: int = 0  # Its place in that list, where it is not the `order` on pages.
    import_aliases: tuple[str, ...] = ()  # Other names of a file's column, in lower case with `_`.
    fhir_path: str = ""  # Where it stands in a FHIR Patient, for messages about a file.
    is_expected_in_files: bool = False  # A page names it when no column of the file becomes it.
    loses_zeros: bool = False  # Digits: a spreadsheet that takes them for a number drops zeros.

    @property
    def choice(self) -> str:
        """The name of what a merge chooses: the field, or the fields that go together."""
        return self.merge_choice or self.name


def _bookkeeping(name: str, *, json_name: str = "") -> PatientField:
    """Returns a column of the portal's own that the log keeps; no change of it is told."""
    return PatientField(
        name=name,
        kind=Kind.SYSTEM,
        is_entered=False,
        is_sensitive=False,
        is_recorded=False,
        json_name=json_name,
    )


def _computed(name: str) -> PatientField:
    """Returns a column that the database computes from others, and that the log leaves out."""
    return PatientField(
        name=name, kind=Kind.SYSTEM, is_entered=False, is_recorded=False, is_in_log=False
    )


NAME, PERSON, CONTACT, RECORD = Section

# In the order of the columns, which triggers and the digests of sealed logs keep to. A new field
# takes the next `log_form`; see "A new patient column" in CONTRIBUTING.md. The formatter keeps off,
# since a table is read by its rows.
# fmt: off
PATIENT_FIELDS = (
    _bookkeeping("id", json_name="id"),
    PatientField("mrn", "MRN", RECORD, 10,
        kind=Kind.SYSTEM, is_entered=False, is_sensitive=False, json_name="mrn"),
    PatientField("family_name", "Family name", NAME, 20,
        import_aliases=("last", "last_name", "surname", "family"), fhir_path="name.family",
        is_expected_in_files=True),
    PatientField("given_name", "Given name", NAME, 30,
        import_aliases=("first", "first_name", "forename", "given"), fhir_path="name.given",
        is_expected_in_files=True),
    PatientField("middle_name", "Middle name", NAME, 40,
        form_label="Middle names", import_aliases=("middle",), fhir_path="name.given"),
    PatientField("prefix", "Title", NAME, 60, import_aliases=("title",), fhir_path="name.prefix"),
    PatientField("suffix", "Suffix", NAME, 70, fhir_path="name.suffix"),
    PatientField("preferred_name", "Likes to be called", NAME, 50,
        import_label="Preferred name", import_order=75, import_aliases=("nickname",),
        fhir_path="name.given"),
    PatientField("date_of_birth", "Date of birth", PERSON, 80,
        kind=Kind.DATE, import_aliases=("birthdate", "birth_date", "dob"), fhir_path="birthDate",
        is_expected_in_files=True),
    PatientField("date_of_birth_precision", "Date of birth known to the", PERSON,
        kind=Kind.CHOICE, merge_choice="date_of_birth", import_label="How exact the birth date is",
        import_order=85),
    PatientField("sex", "Sex", PERSON, 90,
        kind=Kind.CHOICE, import_aliases=("gender",), fhir_path="gender",
        is_expected_in_files=True),
    PatientField("email", "E-mail", CONTACT, 120,
        kind=Kind.EMAIL, import_aliases=("e_mail", "email_address"), fhir_path="telecom"),
    PatientField("phone", "Phone", CONTACT, 110,
        kind=Kind.PHONE, import_aliases=("telephone", "phone_number"), fhir_path="telecom",
        loses_zeros=True),
    PatientField("phone_e164", kind=Kind.SYSTEM, is_entered=False),
    PatientField("address_line1", "Address line 1", CONTACT, 130,
        merge_choice="address", import_label="Address, line 1",
        import_aliases=("address", "address_1"), fhir_path="address.line"),
    PatientField("address_line2", "Address line 2", CONTACT, 140,
        merge_choice="address", import_label="Address, line 2", import_aliases=("address_2",),
        fhir_path="address.line"),
    PatientField("city", "City", CONTACT, 150,
        merge_choice="address", form_label="Town or city", import_aliases=("town",),
        fhir_path="address.city"),
    PatientField("region", "State or region", CONTACT, 160,
        merge_choice="address", import_aliases=("state",), fhir_path="address.state"),
    PatientField("postal_code", "Postal code", CONTACT, 170,
        merge_choice="address", import_aliases=("zip", "zip_code", "postcode"),
        fhir_path="address.postalCode", loses_zeros=True),
    PatientField("country", "Country", CONTACT, 180,
        kind=Kind.COUNTRY, json_help="ISO 3166-1 alpha-2", merge_choice="address",
        fhir_path="address.country"),
    PatientField("marital_status", "Marital status", PERSON, 200,
        import_aliases=("marital",), fhir_path="maritalStatus"),
    PatientField("race", "Race", PERSON, 210, fhir_path="extension (us-core-race)"),
    PatientField("ethnicity", "Ethnicity", PERSON, 220, fhir_path="extension (us-core-ethnicity)"),
    PatientField("language", "Language", PERSON, 190,
        kind=Kind.LANGUAGE, import_order=225, fhir_path="communication.language"),
    PatientField("deceased_on", "Died on", PERSON, 100,
        kind=Kind.DATE, json_name="deceasedDate", import_aliases=("deathdate", "death_date"),
        fhir_path="deceasedDateTime"),
    PatientField("registered_on", "Registered on", PERSON, 230,
        kind=Kind.DATE, is_sensitive=False, json_name="registeredDate",
        fhir_path="extension (registered-on)"),
    PatientField("source", "Channel", RECORD, 240,
        kind=Kind.CHOICE, is_entered=False, is_sensitive=False),
    PatientField("status", "Status", RECORD, 250,
        kind=Kind.CHOICE, is_entered=False, is_sensitive=False, json_name="status"),
    PatientField("merged_into_id", "Merged into",
        kind=Kind.SYSTEM, is_entered=False, is_sensitive=False, log_form=2, json_name="mergedInto"),
    _bookkeeping("version", json_name="version"),
    _bookkeeping("created_at"),
    _bookkeeping("updated_at"),
    _computed("changed_in"),
    _computed("name_words"),
    _computed("sort_key"),
    _computed("given_key"),
    _computed("phone_tail"),
    _computed("name_key"),
    _computed("second_phone_tail"),
)
# fmt: on

FIELD_OF = {field.name: field for field in PATIENT_FIELDS}
RECORDED = tuple(field.name for field in PATIENT_FIELDS if field.is_recorded)
NOT_IN_LOG = tuple(field.name for field in PATIENT_FIELDS if not field.is_in_log)
ENTERED_FIELDS = tuple(field for field in PATIENT_FIELDS if field.is_entered)
ENTERED = tuple(field.name for field in ENTERED_FIELDS)
ADDRESS = tuple(field.name for field in ENTERED_FIELDS if field.merge_choice == "address")
JSON_NAMES = {field.name: field.json_name or camel(field.name) for field in ENTERED_FIELDS}


def fields_on_pages() -> list[PatientField]:
    """Returns the fields that pages list, in the order in which they are read there."""
    return sorted((field for field in PATIENT_FIELDS if field.order), key=lambda field: field.order)


def merge_choices() -> dict[str, tuple[str, ...]]:
    """Returns the columns of each choice of a merge, in the order of the pages.

    Half an address of one record and half of the other's is no address: its columns are chosen
    together, and so are a date of birth and its precision.
    """
    return {
        field.choice: tuple(other.name for other in ENTERED_FIELDS if other.choice == field.choice)
        for field in fields_on_pages()
        if field.is_entered
    }
