"""The words that a mistyped one may mean, looked up by their indexes alone."""

from django.db import migrations

NEAR = r"""
-- Words that share a paring or the sound with the typed one, and whether it is the sound. The planner takes comparing
-- two arrays for cheap and would read the whole table, which takes twenty times as long.
CREATE FUNCTION patients_words_near(typed text) RETURNS TABLE (word text, sounds_alike boolean)
LANGUAGE plpgsql STABLE PARALLEL SAFE SET enable_seqscan = off AS $$
DECLARE
    same text := nullif(patients_sound(typed), '');
    near int[] := patients_parings(typed);
BEGIN
    RETURN QUERY
    SELECT known.word, coalesce(bool_or(known.sound = same), false)
    FROM patients_nameword AS known
    WHERE known.parings && near OR known.sound = same
    GROUP BY known.word;
END $$;
"""


class Migration(migrations.Migration):
    dependencies = [("patients", "0005_index_person")]
    operations = [migrations.RunSQL(NEAR, "DROP FUNCTION patients_words_near(text)")]
