"""The triggers, which act on every channel: versions, words of names, identifiers, the outbox."""

import pgtrigger

from portal.patients.fields import RECORDED


def raise_version() -> pgtrigger.Trigger:
    """Before each update: raises version and time if a recorded column changes, else neither."""
    new, old = (", ".join(f"{row}.{column}" for column in RECORDED) for row in ("NEW", "OLD"))
    return pgtrigger.Trigger(
        name="raise_version",
        when=pgtrigger.Before,
        operation=pgtrigger.Update,
        func=f"""
            NEW.version := OLD.version;
            NEW.created_at := OLD.created_at;
            NEW.updated_at := OLD.updated_at;
            IF NEW.changed_in <> patients_transaction() THEN
                NEW.changed_in := OLD.changed_in;
            END IF;
            IF ({new}) IS DISTINCT FROM ({old}) OR NEW.changed_in <> OLD.changed_in THEN
                NEW.version := OLD.version + 1;
                NEW.updated_at := now();
                NEW.changed_in := patients_transaction();
            END IF;
            RETURN NEW;
        """,
    )


def compute_search_keys() -> pgtrigger.Trigger:
    """Before each write: fills the search keys that are no generated columns.

    PostgreSQL adds a generated column by writing the whole table anew, and nobody could work
    meanwhile.
    """
    return pgtrigger.Trigger(
        name="compute_search_keys",
        when=pgtrigger.Before,
        operation=pgtrigger.Insert | pgtrigger.Update,
        func="""
            NEW.name_key := patients_name_key(NEW.family_name, NEW.given_name);
            NEW.phone_tail := patients_nth_phone_tail(NEW.phone, NEW.phone_e164, 1);
            NEW.second_phone_tail := patients_nth_phone_tail(NEW.phone, NEW.phone_e164, 2);
            RETURN NEW;
        """,
    )


def touch_patient(operation: pgtrigger.Operation, rows: str) -> pgtrigger.Trigger:
    """After identifiers change: raises the patient's version, once in each transaction.

    An update of no row would start the other triggers too. A registration is the usual case, and
    has set `changed_in`.
    """
    tables = {"new" if rows == "new_rows" else "old": rows}
    unchanged = f"id IN (SELECT patient_id FROM {rows}) AND changed_in <> patients_transaction()"
    return pgtrigger.Trigger(
        name=f"touch_patient_{operation}".lower(),
        when=pgtrigger.After,
        operation=operation,
        level=pgtrigger.Statement,
        referencing=pgtrigger.Referencing(**tables),
        func=f"""
            IF EXISTS (SELECT FROM patients_patient WHERE {unchanged}) THEN
                UPDATE patients_patient SET changed_in = patients_transaction() WHERE {unchanged};
            END IF;
            RETURN NULL;
        """,
    )


def learn_words(operation: pgtrigger.Operation) -> pgtrigger.Trigger:
    """After names come or change: adds words to the vocabulary that it does not know."""
    written = "SELECT DISTINCT unnest(tsvector_to_array(name_words)) AS word FROM new_rows"
    known = 'SELECT FROM patients_nameword AS known WHERE known.word = here.word COLLATE "C"'
    return pgtrigger.Trigger(
        name=f"learn_words_{operation}".lower(),
        when=pgtrigger.After,
        operation=operation,
        level=pgtrigger.Statement,
        referencing=pgtrigger.Referencing(new="new_rows"),
        func=f"""
            INSERT INTO patients_nameword (word)
            SELECT word FROM ({written}) AS here
            WHERE NOT EXISTS ({known});
            RETURN NULL;
        """,
    )


def write_identifiers(operation: pgtrigger.Operation) -> pgtrigger.Trigger:
    """After identifiers change: writes what was removed and added, with the patient's version.

    PostgreSQL fires triggers in the order of their names: `touch_patient` has raised the version.
    """
    columns = "patient_id, system, value, valid_from, valid_to"
    values = f"rows.{columns}"
    has_old, has_new = operation != pgtrigger.Insert, operation != pgtrigger.Delete
    old, new = (f"SELECT {columns} FROM {rows}" for rows in ("old_rows", "new_rows"))
    removed = f"{old} EXCEPT {new}" if has_new else old
    added = f"{new} EXCEPT {old}" if has_old else new
    parts = [("false", removed)] * has_old + [("true", added)] * has_new
    selects = [
        f"SELECT {is_added} AS is_added, * FROM ({part}) AS part" for is_added, part in parts
    ]
    rows = " UNION ALL ".join(selects)
    return pgtrigger.Trigger(
        name=f"write_identifiers_{operation}".lower(),
        when=pgtrigger.After,
        operation=operation,
        level=pgtrigger.Statement,
        referencing=pgtrigger.Referencing(
            old="old_rows" if has_old else None, new="new_rows" if has_new else None
        ),
        func=f"""
            INSERT INTO patients_identifierchange (version, is_added, {columns})
            SELECT patient.version, rows.is_added, {values}
            FROM ({rows}) AS rows JOIN patients_patient AS patient ON patient.id = rows.patient_id
            ORDER BY rows.patient_id, is_added, system, value;
            RETURN NULL;
        """,
    )


def fill_outbox() -> pgtrigger.Trigger:
    """After the log grows: writes an outbox row for each event, in the same transaction."""
    return pgtrigger.Trigger(
        name="fill_outbox",
        when=pgtrigger.After,
        operation=pgtrigger.Insert,
        level=pgtrigger.Statement,
        referencing=pgtrigger.Referencing(new="new_rows"),
        func=(
            "INSERT INTO patients_eventoutbox (event_id) "
            "SELECT pgh_id FROM new_rows ORDER BY pgh_id; RETURN NULL;"
        ),
    )
