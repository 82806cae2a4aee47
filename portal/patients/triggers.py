"""The triggers that every door passes: they count versions, learn the words of names, fill the outbox."""

import pgtrigger

from portal.patients.fields import RECORDED


def raise_version() -> pgtrigger.Trigger:
    """Before each update: version + 1 and the time if anything recorded changes; else the row stays as it was."""
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


def touch_patient(operation: pgtrigger.Operation, rows: str) -> pgtrigger.Trigger:
    """After identifiers change: the patient's version rises too, unless this transaction wrote the patient already."""
    tables = {"new" if rows == "new_rows" else "old": rows}
    return pgtrigger.Trigger(
        name=f"touch_patient_{operation}".lower(),
        when=pgtrigger.After,
        operation=operation,
        level=pgtrigger.Statement,
        referencing=pgtrigger.Referencing(**tables),
        func=f"""
            UPDATE patients_patient SET changed_in = patients_transaction()
            WHERE id IN (SELECT patient_id FROM {rows}) AND changed_in <> patients_transaction();
            RETURN NULL;
        """,  # noqa: S608 - `rows` is one of two words of ours
    )


def learn_words(operation: pgtrigger.Operation) -> pgtrigger.Trigger:
    """After names come or change: the words that the vocabulary does not know yet join it."""
    return pgtrigger.Trigger(
        name=f"learn_words_{operation}".lower(),
        when=pgtrigger.After,
        operation=operation,
        level=pgtrigger.Statement,
        referencing=pgtrigger.Referencing(new="new_rows"),
        func="""
            INSERT INTO patients_nameword (word)
            SELECT word FROM (SELECT DISTINCT unnest(tsvector_to_array(name_words)) AS word FROM new_rows) AS here
            WHERE NOT EXISTS (SELECT FROM patients_nameword AS known WHERE known.word = here.word COLLATE "C");
            RETURN NULL;
        """,
    )


def write_identifiers(operation: pgtrigger.Operation) -> pgtrigger.Trigger:
    """After identifiers change: what went and what came, with the version of the patient that it came with.

    PostgreSQL fires triggers in the order of their names, so that `touch_patient` has raised the version before.
    """
    columns = "patient_id, system, value, valid_from, valid_to"
    has_old, has_new = operation != pgtrigger.Insert, operation != pgtrigger.Delete
    old, new = (f"SELECT {columns} FROM {rows}" for rows in ("old_rows", "new_rows"))  # noqa: S608
    gone = f"{old} EXCEPT {new}" if has_new else old
    come = f"{new} EXCEPT {old}" if has_old else new
    parts = [("false", gone)] * has_old + [("true", come)] * has_new
    each = [f"SELECT {is_added} AS is_added, * FROM ({part}) AS part" for is_added, part in parts]  # noqa: S608
    rows = " UNION ALL ".join(each)
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
            SELECT patient.version, rows.is_added, rows.patient_id, system, value, valid_from, valid_to
            FROM ({rows}) AS rows JOIN patients_patient AS patient ON patient.id = rows.patient_id
            ORDER BY rows.patient_id, is_added, system, value;
            RETURN NULL;
        """,  # noqa: S608 - made of words of ours
    )


def fill_outbox() -> pgtrigger.Trigger:
    """After the log grows: one outbox row for each event, in the same transaction."""
    return pgtrigger.Trigger(
        name="fill_outbox",
        when=pgtrigger.After,
        operation=pgtrigger.Insert,
        level=pgtrigger.Statement,
        referencing=pgtrigger.Referencing(new="new_rows"),
        func="INSERT INTO patients_eventoutbox (event_id) SELECT pgh_id FROM new_rows ORDER BY pgh_id; RETURN NULL;",
    )
