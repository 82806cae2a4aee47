-- Returns the words that share a paring or the sound with the typed word, and whether it is the
-- sound. Sequential scans are off because the planner underrates the price of comparing two arrays:
-- it would read the whole table, which takes twenty times as long.
CREATE OR REPLACE FUNCTION patients_words_near(typed text)
RETURNS TABLE (word text, sounds_alike boolean)
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
