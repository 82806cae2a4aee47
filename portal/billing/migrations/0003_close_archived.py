"""Asks billing to close the accounts of patients who were archived or merged earlier."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("billing", "0002_answered_at"), ("patients", "0002_patients")]

    operations = [
        migrations.RunSQL(
            """
            UPDATE billing_billingaccount AS account
            SET next_attempt_at = statement_timestamp(), wanted_at = statement_timestamp()
            FROM patients_patient AS patient
            WHERE patient.id = account.patient_id AND patient.status <> 'active'
                AND account.status = 'active' AND account.next_attempt_at IS NULL
            """,
            migrations.RunSQL.noop,
        )
    ]
