"""A plan of the log's trigger that stays right for many rows, also where it was made for one."""

from django.db import migrations

# A session keeps the plan that its first update made. Made for one row, it compares each new row with each old one:
# an update of 30,000 patients later in that session would take minutes.
SETTLE = """
DO $$
DECLARE
    function regprocedure;
BEGIN
    FOR function IN
        SELECT tgfoid FROM pg_trigger
        WHERE tgrelid = 'patients_patient'::regclass AND tgname LIKE 'pgtrigger_update_update_%'
    LOOP
        EXECUTE format('ALTER FUNCTION %s SET enable_nestloop = off', function);
    END LOOP;
END $$;
"""


class Migration(migrations.Migration):
    dependencies = [("patients", "0008_changes_of_identifiers")]
    operations = [migrations.RunSQL(SETTLE, "")]
