-- Returns how a folded word sounds. portal/patients/names/phonetics.py has the same rules in the
-- same order. They are fewer than the 32 patterns that PostgreSQL keeps compiled.
CREATE OR REPLACE FUNCTION patients_sound(word text) RETURNS text
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
DECLARE
    w text COLLATE "C" := word;
BEGIN
    w := regexp_replace(w, '[^a-z]', '', 'g');
    w := regexp_replace(w, '(.)\1+', '\1', 'g');
    w := regexp_replace(w, '^mc|^mac(?=[^eyh])', 'mak', 'g');
    w := regexp_replace(w, '^[gkp](?=n)|^w(?=r)|^p(?=s)', '', 'g');
    w := replace(w, 'ph', 'f');
    w := regexp_replace(w, '^x', 's', 'g');
    w := replace(w, 'x', 'ks');
    w := regexp_replace(w, 't?sch|[sz]h|sj|tch|cz', 'x', 'g');
    w := regexp_replace(w, '(?<=[aou])ch$|ch(?=[rl])', 'k', 'g');
    w := replace(w, 'ch', 'x');
    w := regexp_replace(w, '(?<=[aeiouy])gh', '', 'g');
    w := regexp_replace(w, 'dg(?=[eiy])', 'g', 'g');
    w := regexp_replace(w, '^geo', 'jo', 'g');
    w := regexp_replace(w, 'c(?=[eiy])', 's', 'g');
    w := regexp_replace(w, '[td]z|ts', 's', 'g');
    w := regexp_replace(w, '^w', 'v', 'g');
    w := regexp_replace(w, '(?<=.)[hw]', '', 'g');
    w := regexp_replace(w, '^y(?=[aeiou])', 'j', 'g');
    w := regexp_replace(w, 'mb$|mp(?=[st])', 'm', 'g');
    w := translate(w, 'cqz', 'kks');
    w := left(w, 1) || translate(substr(w, 2), 'bdgv', 'ptkf');
    w := regexp_replace(w, '(.)\1+', '\1', 'g');
    w := regexp_replace(w, '^([^aeiouy])[aou][aeiouy]*$', '\1A', 'g');
    w := regexp_replace(w, '^([^aeiouy])[eiy][aeiouy]*$', '\1E', 'g');
    w := regexp_replace(w, '^[aeiouy]+', 'A', 'g');
    w := regexp_replace(w, '[aeiouy]', '', 'g');
    RETURN upper(w);
END $$;
