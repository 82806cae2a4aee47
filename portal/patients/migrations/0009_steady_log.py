"""Plans the log's update trigger for many rows, also after an update of one row."""

from django.db import migrations

from portal.patients.sql import read_sql


class Migration(migrations.Migration):
    dependencies = [("patients", "0008_changes_of_identifiers")]
    operations = [migrations.RunSQL(read_sql("log_trigger_settings"), "")]
