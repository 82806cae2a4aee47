"""The patient's record and identifiers. The database keeps the rules for every channel."""

from datetime import datetime

import pgtrigger
from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVectorField
from django.db import models
from django.db.models import Func, Q, Value
from django.db.models.functions import Collate, Lower, Now, Replace, Reverse, Upper
from uuid_utils.compat import uuid7

from portal.patients.triggers import (
    compute_search_keys,
    learn_words,
    raise_version,
    touch_patient,
    write_identifiers,
)

# Merges that are followed at most: SQL could close a circle, and a page must end all the same.
LONGEST_CHAIN = 20
# The days that a record may have, in every channel. A number may be valid for ever, which FHIR
# writes as the last day of 9999.
FIRST_DAY, LAST_DAY, FOR_EVER = "1850-01-01", "2199-12-31", "9999-12-31"


def possible_days(name: str, *columns: str, last: str = LAST_DAY) -> models.CheckConstraint:
    """Returns the check that these columns hold a day from FIRST_DAY to `last`, or none."""
    condition = Q()
    for column in columns:
        condition &= Q(**{column: None}) | Q(**{f"{column}__range": (FIRST_DAY, last)})
    return models.CheckConstraint(condition=condition, name=name)


def possible_moments(name: str, *columns: str) -> models.CheckConstraint:
    """Returns the check that these columns hold a moment within the same days, in UTC."""
    first, last = (datetime.fromisoformat(f"{day}T00:00Z") for day in (FIRST_DAY, LAST_DAY))
    condition = Q()
    for column in columns:
        condition &= Q(**{f"{column}__range": (first, last)})
    return models.CheckConstraint(condition=condition, name=name)


class Sex(models.TextChoices):
    """FHIR administrative gender."""

    FEMALE = "female", "Female"
    MALE = "male", "Male"
    OTHER = "other", "Other"
    UNKNOWN = "unknown", "Unknown"


class Status(models.TextChoices):
    ACTIVE = "active", "Active"
    ARCHIVED = "archived", "Archived"
    MERGED = "merged", "Merged"


class Source(models.TextChoices):
    """The channel that a patient came through."""

    PORTAL = "portal", "Staff pages"
    API = "api", "API"
    ADMIN = "admin", "Admin"
    IMPORT = "import", "Import"
    COMMAND = "command", "Command"


class Precision(models.TextChoices):
    """How much of a date of birth is known; the rest is stored as the first day or month."""

    DAY = "day", "Day"
    MONTH = "month", "Month and year"
    YEAR = "year", "Year only"


def list_name_of(family_name: str, given_name: str, middle_name: str, prefix: str) -> str:
    """Returns `SMITH, Jane (Mrs)`: how lists and the banner print a name."""
    given = " ".join(part for part in (given_name, middle_name) if part)
    name = ", ".join(part for part in (family_name.upper(), given) if part)
    return f"{name} ({prefix.rstrip('.')})" if prefix else name


class Patient(models.Model):  # type: ignore[django-manager-missing]  # PatientEvent adds `events`
    """A person known to the clinic. `version` rises by one with every change by any channel."""

    id = models.UUIDField(
        primary_key=True, default=uuid7, db_default=Func(function="uuidv7"), editable=False
    )
    mrn = models.CharField(
        "MRN",
        max_length=20,
        unique=True,
        editable=False,
        db_default=Func(function="patients_next_mrn"),
    )
    family_name = models.CharField(max_length=120, blank=True, default="", db_default="")
    given_name = models.CharField(max_length=120, blank=True, default="", db_default="")
    middle_name = models.CharField(max_length=120, blank=True, default="", db_default="")
    prefix = models.CharField("title", max_length=30, blank=True, default="", db_default="")
    suffix = models.CharField(max_length=30, blank=True, default="", db_default="")
    preferred_name = models.CharField(max_length=120, blank=True, default="", db_default="")
    date_of_birth = models.DateField(null=True, blank=True)
    date_of_birth_precision = models.CharField(
        max_length=5, choices=Precision, default=Precision.DAY, db_default=Precision.DAY
    )
    sex = models.CharField(max_length=7, choices=Sex, default=Sex.UNKNOWN, db_default=Sex.UNKNOWN)
    email = models.EmailField("e-mail", max_length=254, blank=True, default="", db_default="")
    phone = models.CharField(max_length=40, blank=True, default="", db_default="")
    phone_e164 = models.CharField(
        max_length=16, blank=True, default="", db_default="", editable=False
    )
    address_line1 = models.CharField(max_length=200, blank=True, default="", db_default="")
    address_line2 = models.CharField(max_length=200, blank=True, default="", db_default="")
    city = models.CharField(max_length=100, blank=True, default="", db_default="")
    region = models.CharField(
        "state or region", max_length=100, blank=True, default="", db_default=""
    )
    postal_code = models.CharField(max_length=20, blank=True, default="", db_default="")
    country = models.CharField(
        max_length=2, blank=True, default="", db_default="", help_text="ISO 3166-1 alpha-2"
    )
    marital_status = models.CharField(max_length=30, blank=True, default="", db_default="")
    race = models.CharField(max_length=60, blank=True, default="", db_default="")
    ethnicity = models.CharField(max_length=60, blank=True, default="", db_default="")
    language = models.CharField(
        max_length=35,
        blank=True,
        default="",
        db_default="",
        help_text="BCP 47, such as en or pt-BR",
    )
    deceased_on = models.DateField(null=True, blank=True)
    registered_on = models.DateField(
        db_default=Func(function="CURRENT_DATE", template="%(function)s")
    )
    source = models.CharField(
        max_length=7, choices=Source, default=Source.COMMAND, db_default=Source.COMMAND
    )
    status = models.CharField(
        max_length=8, choices=Status, default=Status.ACTIVE, db_default=Status.ACTIVE
    )
    # The record that stands for the person since this one was merged into it.
    merged_into = models.ForeignKey(
        "self",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="merged",
        db_index=False,
        editable=False,
    )
    version = models.BigIntegerField(default=1, db_default=1, editable=False)
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    updated_at = models.DateTimeField(db_default=Now(), editable=False)
    # The transaction that changed the record last: identifiers that change in it are no new change.
    changed_in = models.BigIntegerField(
        db_default=Func(function="patients_transaction"), editable=False
    )

    # Search keys, computed by the database so that raw SQL gets them too.
    name_words = models.GeneratedField(
        expression=Func(
            "given_name",
            "middle_name",
            "family_name",
            "preferred_name",
            function="patients_name_words",
        ),
        output_field=SearchVectorField(),
        db_persist=True,
    )
    sort_key = models.GeneratedField(
        expression=Func("family_name", "given_name", function="patients_sort_key"),
        output_field=models.TextField(db_collation="C"),
        db_persist=True,
    )
    given_key = models.GeneratedField(
        expression=Func("given_name", "family_name", function="patients_sort_key"),
        output_field=models.TextField(db_collation="C"),
        db_persist=True,
    )
    # For Django the next three are generated columns, too; in the database the trigger
    # `compute_search_keys` fills them, since adding a generated column keeps everybody out.
    # The words of both names in one order, however the name was parted in two fields.
    name_key = models.GeneratedField(
        expression=Func("family_name", "given_name", function="patients_name_key"),
        output_field=models.TextField(db_collation="C"),
        db_persist=True,
    )
    # The first number in the field, as understood, and a second one beside it, digits backwards.
    phone_tail = models.GeneratedField(
        expression=Func("phone", "phone_e164", Value(1), function="patients_nth_phone_tail"),
        output_field=models.TextField(db_collation="C"),
        db_persist=True,
    )
    second_phone_tail = models.GeneratedField(
        expression=Func("phone", "phone_e164", Value(2), function="patients_nth_phone_tail"),
        output_field=models.TextField(db_collation="C"),
        db_persist=True,
    )

    class Meta:
        ordering = ["sort_key", "id"]
        # No delete: patients are archived. Only SQL can erase one, and the log keeps that.
        default_permissions = ("add", "change", "view")
        permissions = [
            ("archive_patient", "Can archive and restore patients"),
            ("merge_patient", "Can merge two records of one person, and take that back"),
            ("export_patient", "Can take patients out as a file"),
            ("view_history", "Can see what changed"),
            ("view_access", "Can see who looked"),
        ]
        indexes = [
            models.Index(fields=["sort_key", "id"], name="patient_in_list_order"),
            models.Index(fields=["given_key", "id"], name="patient_by_given_name"),
            # Without it, a list of the few who are archived would read past all the others.
            models.Index(
                fields=["sort_key", "id"],
                name="patient_off_the_list",
                condition=~Q(status="active"),
            ),
            models.Index(
                fields=["merged_into"],
                name="patient_by_survivor",
                condition=Q(merged_into__isnull=False),
            ),
            # An import compares the names of all who were born on a day without reading their rows.
            models.Index(fields=["date_of_birth", "sort_key"], name="patient_by_birth_and_name"),
            models.Index(fields=["name_key", "date_of_birth"], name="patient_by_name_key"),
            models.Index(fields=["phone_tail"], name="patient_by_phone"),
            models.Index(
                fields=["second_phone_tail"],
                name="patient_by_second_phone",
                condition=~Q(second_phone_tail=""),
            ),
            models.Index(Collate(Lower("email"), "C"), name="patient_by_email"),
            models.Index(
                Collate(Upper(Replace("postal_code", Value(" "), Value(""))), "C"),
                name="patient_by_postal_code",
            ),
            models.Index(Collate(Reverse("mrn"), "C"), name="patient_by_mrn_tail"),
            models.Index(fields=["registered_on"], name="patient_by_registration"),
            GinIndex(fields=["name_words"], name="patient_by_name_word"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=~Q(family_name="", given_name=""), name="patient_has_a_name"
            ),
            models.CheckConstraint(condition=Q(sex__in=Sex.values), name="patient_sex_known"),
            models.CheckConstraint(
                condition=Q(status__in=Status.values), name="patient_status_known"
            ),
            models.CheckConstraint(
                condition=Q(source__in=Source.values), name="patient_source_known"
            ),
            models.CheckConstraint(
                condition=Q(date_of_birth_precision__in=Precision.values),
                name="patient_precision_known",
            ),
            models.CheckConstraint(
                condition=Q(date_of_birth=None) | Q(date_of_birth__gte="1850-01-01"),
                name="patient_born_after_1850",
            ),
            models.CheckConstraint(
                condition=Q(deceased_on=None)
                | Q(date_of_birth=None)
                | Q(deceased_on__gte=models.F("date_of_birth")),
                name="patient_died_after_birth",
            ),
            possible_days("patient_birth_is_possible", "date_of_birth"),
            possible_days("patient_death_is_possible", "deceased_on"),
            possible_days("patient_registration_is_possible", "registered_on"),
            possible_moments("patient_times_are_possible", "created_at", "updated_at"),
            models.CheckConstraint(
                condition=Q(country__regex=r"^([A-Z]{2})?$"), name="patient_country_is_iso"
            ),
            models.CheckConstraint(condition=Q(version__gte=1), name="patient_version_from_1"),
            models.CheckConstraint(
                condition=(
                    Q(status=Status.MERGED, merged_into__isnull=False)
                    & ~Q(merged_into=models.F("id"))
                )
                | (~Q(status=Status.MERGED) & Q(merged_into=None)),
                name="patient_merged_into_another",
            ),
        ]
        triggers = [
            raise_version(),
            compute_search_keys(),
            learn_words(pgtrigger.Insert),
            learn_words(pgtrigger.Update),
        ]

    def __str__(self) -> str:
        return f"MRN {self.mrn}"  # Never the name: this text ends up in messages and logs.

    @property
    def survivor(self) -> "Patient":
        """The record that stands for the person today, at the end of the chain of merges."""
        record = self
        for _ in range(LONGEST_CHAIN):
            if record.merged_into is None:
                break
            record = record.merged_into
        return record

    @property
    def full_name(self) -> str:
        """Returns the name as one string, in the order it is spoken."""
        parts = (self.prefix, self.given_name, self.middle_name, self.family_name, self.suffix)
        return " ".join(part for part in parts if part)

    @property
    def list_name(self) -> str:
        return list_name_of(self.family_name, self.given_name, self.middle_name, self.prefix)

    @property
    def address_text(self) -> str:
        """The address as one line."""
        place = " ".join(part for part in (self.region, self.postal_code) if part)
        parts = (self.address_line1, self.address_line2, self.city, place, self.country)
        return ", ".join(part for part in parts if part)

    @property
    def is_archived(self) -> bool:
        return self.status == Status.ARCHIVED


class PatientIdentifier(models.Model):
    """A number that another organisation knows the patient by; no two patients share one."""

    patient = models.ForeignKey(Patient, on_delete=models.CASCADE, related_name="identifiers")
    system = models.CharField(
        max_length=200, help_text="ssn, driver, passport, insurance, or a URI"
    )
    value = models.CharField(max_length=100, help_text="Letters and digits only, in capitals")
    valid_from = models.DateField(null=True, blank=True)
    valid_to = models.DateField(null=True, blank=True)

    class Meta:
        ordering = ["system", "value"]
        default_permissions = ("view",)
        indexes = [
            models.Index(Collate(Reverse("value"), "C"), name="identifier_by_tail"),
        ]
        constraints = [
            # The value first: one index keeps them apart, and finds them without their system.
            models.UniqueConstraint(fields=["value", "system"], name="one_patient_per_identifier"),
            models.CheckConstraint(
                condition=~Q(system="") & ~Q(value=""), name="identifier_is_not_empty"
            ),
            models.CheckConstraint(
                condition=Q(valid_from=None)
                | Q(valid_to=None)
                | Q(valid_to__gte=models.F("valid_from")),
                name="identifier_ends_after_start",
            ),
            possible_days("identifier_days_are_possible", "valid_from", "valid_to", last=FOR_EVER),
        ]
        triggers = [
            touch_patient(pgtrigger.Insert, "new_rows"),
            touch_patient(pgtrigger.Update, "new_rows"),
            touch_patient(pgtrigger.Delete, "old_rows"),
            write_identifiers(pgtrigger.Insert),
            write_identifiers(pgtrigger.Update),
            write_identifiers(pgtrigger.Delete),
        ]

    def __str__(self) -> str:
        return f"{self.system} identifier {self.pk}"
