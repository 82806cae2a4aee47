"""Proves the checks of dates on the rows that are there; where one is bad, the check stays unproven.

Then new rows are checked all the same, readiness says `records`, and reconciliation names the
patients. The first reconciliation after their correction proves the checks.
"""

import sys
from typing import Any

from django.db import IntegrityError, migrations

_CHECKS = {
    "patients_patient": [
        "patient_birth_is_possible",
        "patient_death_is_possible",
        "patient_registration_is_possible",
        "patient_times_are_possible",
    ],
    "patients_patientidentifier": ["identifier_days_are_possible"],
}
_TOLD = (
    "\n    Some patients have a date that cannot be ({}). Nothing is lost, and the date counts as"
    " not known.\n    `manage.py reconcile` names them; correct them there.\n"
)


def prove_dates(_apps: Any, schema_editor: Any) -> None:
    unproven = []
    for table, names in _CHECKS.items():
        for name in names:
            try:
                schema_editor.execute(f"ALTER TABLE {table} VALIDATE CONSTRAINT {name}")
            except IntegrityError:
                unproven.append(name)
    if unproven:
        sys.stderr.write(_TOLD.format(", ".join(unproven)))


class Migration(migrations.Migration):
    atomic = False  # Each proof stands alone; it blocks no reader and no writer.
    dependencies = [("patients", "0016_possible_dates")]
    operations = [migrations.RunPython(prove_dates, migrations.RunPython.noop)]
