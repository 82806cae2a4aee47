"""A plan of the log's trigger that stays right for many rows, also where it was made for one."""

from django.db import migrations

from portal.patients.sql import read_sql


class Migration(migrations.Migration):
    dependencies = [("patients", "0008_changes_of_identifiers")]
    operations = [migrations.RunSQL(read_sql("log_trigger_settings"), "")]
