-- Gives the function of the log's update trigger the setting `enable_nestloop = off`. A session keeps
-- the plan of its first update. Made for one row, that plan compares each new row with each old one:
-- an update of 30,000 patients later in that session would take minutes.
-- pgtrigger takes the setting away each time it creates the function anew, so this runs after each
-- `manage.py migrate`.
DO $$
DECLARE
    function regprocedure;
BEGIN
    FOR function IN
        SELECT tgfoid FROM pg_trigger JOIN pg_proc ON pg_proc.oid = tgfoid
        WHERE tgrelid = to_regclass('patients_patient')
            AND tgname LIKE 'pgtrigger_update_update_%'
            AND (proconfig @> '{enable_nestloop=off}') IS NOT TRUE
    LOOP
        EXECUTE format('ALTER FUNCTION %s SET enable_nestloop = off', function);
    END LOOP;
END $$;
