"""Bounds every date of patients and identifiers from both sides, for new and changed rows at once.

Rows that are there already are proven by the next migration, which no bad row stops.
"""

from datetime import UTC, datetime

from django.contrib.postgres.operations import AddConstraintNotValid
from django.db import migrations, models
from django.db.models import Q

_DAYS = ("1850-01-01", "2199-12-31")
_MOMENTS = (datetime(1850, 1, 1, tzinfo=UTC), datetime(2199, 12, 31, tzinfo=UTC))
_VALIDITY = ("1850-01-01", "9999-12-31")


class Migration(migrations.Migration):
    dependencies = [("patients", "0015_names_of_the_world")]
    operations = [
        AddConstraintNotValid(
            model_name="patient",
            constraint=models.CheckConstraint(
                condition=Q(date_of_birth=None) | Q(date_of_birth__range=_DAYS),
                name="patient_birth_is_possible",
            ),
        ),
        AddConstraintNotValid(
            model_name="patient",
            constraint=models.CheckConstraint(
                condition=Q(deceased_on=None) | Q(deceased_on__range=_DAYS),
                name="patient_death_is_possible",
            ),
        ),
        AddConstraintNotValid(
            model_name="patient",
            constraint=models.CheckConstraint(
                condition=Q(registered_on=None) | Q(registered_on__range=_DAYS),
                name="patient_registration_is_possible",
            ),
        ),
        AddConstraintNotValid(
            model_name="patient",
            constraint=models.CheckConstraint(
                condition=Q(created_at__range=_MOMENTS) & Q(updated_at__range=_MOMENTS),
                name="patient_times_are_possible",
            ),
        ),
        AddConstraintNotValid(
            model_name="patientidentifier",
            constraint=models.CheckConstraint(
                condition=(Q(valid_from=None) | Q(valid_from__range=_VALIDITY))
                & (Q(valid_to=None) | Q(valid_to__range=_VALIDITY)),
                name="identifier_days_are_possible",
            ),
        ),
    ]
