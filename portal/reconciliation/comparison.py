"""The comparison: a statement for each kind of difference, over all patients at once.

A store is behind when it lacks what the portal's snapshot has, which was taken first. It has too
much when it has what even the portal of now lacks: what it has beyond the snapshot may be newer. So
a patient that changes meanwhile is never taken for different.
"""

from collections.abc import Collection

from portal.patients.impossible_dates import IMPOSSIBLE_DATES
from portal.reconciliation.difference_kinds import KINDS
from portal.reconciliation.stores import ANALYTICS
from portal.reconciliation.workspace import Workspace

_SENT = """
    TRUNCATE sent;
    INSERT INTO sent
        SELECT patient, event_id, version, min(place), max(place), partition, count(*)
        FROM read_message GROUP BY patient, event_id, version, partition;
    ANALYZE sent; ANALYZE read_state; ANALYZE read_account;
"""
# An event that left the broker's window may have been delivered: the proof is that analytics
# counted as many events as there are.
_COUNTED_ANYWAY = """
    EXISTS (SELECT FROM read_state AS s JOIN expected AS x USING (patient)
            WHERE s.patient = e.patient AND s.counted >= x.settled)
"""

_STATEMENTS = {
    "impossible-date": f"""
        SELECT patient, NULL::bigint, string_agg(DISTINCT found, ', ')
        FROM ({IMPOSSIBLE_DATES}) AS found GROUP BY patient""",  # noqa: S608 - a constant
    "patient-without-log": """
        SELECT p.patient, NULL::bigint, format('patient at version %s', p.version)
        FROM snap_patient AS p LEFT JOIN expected AS e USING (patient) WHERE e.patient IS NULL""",
    "log-behind": """
        SELECT patient, NULL::bigint, format('patient at version %s, log at %s', p.version, e.last)
        FROM snap_patient AS p JOIN expected AS e USING (patient) WHERE p.version > e.last""",
    "log-ahead": """
        SELECT patient, NULL::bigint, format('patient at version %s, log at %s', p.version, e.last)
        FROM snap_patient AS p JOIN expected AS e USING (patient) WHERE p.version < e.last""",
    "version-missing": """
        SELECT patient, NULL::bigint, format('%s rows for %s versions', events, last)
        FROM expected WHERE versions <> last OR events <> last""",
    "log-of-nobody": """
        SELECT e.patient, NULL::bigint, format('log at version %s', e.last)
        FROM expected AS e LEFT JOIN snap_patient AS p USING (patient)
        WHERE p.patient IS NULL AND NOT e.is_deleted""",
    "quarantined": "SELECT patient, event_id, reason FROM snap_quarantined",
    "not-sent": """
        SELECT e.patient, e.event_id, format('version %s', e.version)
        FROM snap_event AS e LEFT JOIN sent AS s USING (event_id, patient, version)
        WHERE s.event_id IS NULL AND NOT e.is_held AND {not_sent}""",
    # A replay puts events in order in the end. So both orders must be wrong: that of the first copy
    # of each event, and that of the last copy.
    "out-of-order": """
        SELECT patient, NULL::bigint, 'a version after a higher one'
        FROM (SELECT patient,
                version < lag(version) OVER by_first_copy AS is_first_back,
                version < lag(version) OVER by_last_copy AS is_last_back
              FROM sent
              WINDOW by_first_copy AS (PARTITION BY patient, partition ORDER BY first_place),
                  by_last_copy AS (PARTITION BY patient, partition ORDER BY last_place)
        ) AS ordered JOIN expected AS e USING (patient)
        WHERE e.events = e.settled
        GROUP BY patient HAVING bool_or(is_first_back) AND bool_or(is_last_back)""",
    "unknown-event": """
        SELECT s.patient, s.event_id, format('version %s', s.version)
        FROM sent AS s LEFT JOIN snap_event AS e USING (event_id, patient, version)
        WHERE e.event_id IS NULL AND NOT EXISTS (
            SELECT FROM patients_patientevent AS log
            WHERE log.pgh_id = s.event_id AND log.pgh_obj_id = s.patient
                AND log.version + (log.pgh_label = 'delete')::int = s.version)""",
    "not-counted": """
        SELECT e.patient, NULL::bigint, format('%s of %s events', coalesce(s.counted, 0), e.settled)
        FROM expected AS e LEFT JOIN read_state AS s USING (patient)
        WHERE coalesce(s.counted, 0) < e.settled""",
    "counted-too-often": """
        SELECT s.patient, NULL::bigint, format('%s of %s events', s.counted, e.events)
        FROM read_state AS s JOIN expected AS e USING (patient)
        WHERE s.counted > e.events
            AND s.counted > (
                SELECT count(*) FROM patients_patientevent WHERE pgh_obj_id = s.patient)""",
    "unknown-patient": """
        SELECT s.patient, NULL::bigint, format('at version %s', s.version)
        FROM read_state AS s LEFT JOIN expected AS e USING (patient)
        WHERE e.patient IS NULL
            AND NOT EXISTS (SELECT FROM patients_patientevent WHERE pgh_obj_id = s.patient)""",
    "state-behind": """
        SELECT s.patient, NULL::bigint, format('at version %s of %s', s.version, e.settled_version)
        FROM read_state AS s JOIN expected AS e USING (patient)
        WHERE s.version < e.settled_version AND s.counted >= e.settled""",
    "state-ahead": """
        SELECT s.patient, NULL::bigint, format('at version %s of %s', s.version, e.last)
        FROM read_state AS s JOIN expected AS e USING (patient)
        WHERE s.version > e.last AND s.version > (
            SELECT max(version + (pgh_label = 'delete')::int)
            FROM patients_patientevent WHERE pgh_obj_id = s.patient)""",
    "other-status": """
        SELECT s.patient, NULL::bigint, format('%s instead of %s', s.status, e.status)
        FROM read_state AS s JOIN snap_event AS e USING (patient, version)
        WHERE s.status <> e.status""",
    "not-asked": "SELECT patient, NULL::bigint, '' FROM snap_need",
    "no-account": """
        SELECT a.patient, NULL::bigint, a.account_id
        FROM snap_account AS a LEFT JOIN read_account AS b USING (patient)
        WHERE b.patient IS NULL AND NOT a.is_waiting AND a.status <> 'failed'""",
    "other-account": """
        SELECT patient, NULL::bigint,
            format('%s instead of %s', min(b.account_id), min(a.account_id))
        FROM snap_account AS a JOIN read_account AS b USING (patient)
        WHERE a.account_id <> '' AND NOT a.is_waiting
        GROUP BY patient HAVING NOT bool_or(a.account_id = b.account_id)""",
    "two-accounts": """
        SELECT patient, NULL::bigint, string_agg(account_id, ', ' ORDER BY account_id)
        FROM read_account WHERE patient IS NOT NULL GROUP BY patient HAVING count(*) > 1""",
    # The portal never opens an account without a version. So an account without a version whose
    # patient is unknown here was opened by another client of billing, and is none of ours to close.
    "account-of-nobody": """
        SELECT b.patient, NULL::bigint, b.account_id
        FROM read_account AS b LEFT JOIN snap_patient AS p USING (patient)
        WHERE p.patient IS NULL AND NOT b.is_closed AND b.version > 0 AND b.patient IS NOT NULL
            AND NOT EXISTS (SELECT FROM patients_patient WHERE id = b.patient)
            AND NOT EXISTS (SELECT FROM billing_orphanedaccount WHERE patient_id = b.patient)""",
    "billing-behind": """
        SELECT patient, NULL::bigint, format('at version %s of %s', b.version, a.wanted)
        FROM snap_account AS a JOIN read_account AS b USING (patient)
        WHERE b.version < a.wanted AND NOT a.is_waiting AND a.status <> 'failed'""",
    "billing-ahead": """
        SELECT patient, NULL::bigint, format('at version %s of %s', b.version, p.version)
        FROM snap_patient AS p JOIN read_account AS b USING (patient)
        WHERE b.version > p.version
            AND b.version > (SELECT version FROM patients_patient WHERE id = patient)""",
    "open-though-archived": """
        SELECT patient, NULL::bigint, format('patient is %s', p.status)
        FROM snap_patient AS p
            JOIN read_account AS b USING (patient) JOIN snap_account AS a USING (patient)
        WHERE p.status <> 'active' AND NOT b.is_closed
            AND b.version <= p.version AND b.version >= a.wanted
            AND NOT a.is_waiting AND a.status <> 'failed'""",
    "closed-though-active": """
        SELECT patient, NULL::bigint, b.account_id
        FROM snap_patient AS p
            JOIN read_account AS b USING (patient) JOIN snap_account AS a USING (patient)
        WHERE p.status = 'active' AND b.is_closed
            AND b.version <= p.version AND b.version >= a.wanted
            AND NOT a.is_waiting AND a.status <> 'failed'""",
    "refused": "SELECT patient, NULL::bigint, error FROM snap_account WHERE status = 'failed'",
}


def compare(
    space: Workspace, *, is_topic_whole: bool, away: Collection[str], looked_at_before: bool = False
) -> None:
    """Fills `difference` from what was read; stores that are away are left out.

    With `looked_at_before` the tables hold the candidates alone, and only the kinds that may pass
    are compared.
    """
    space.rows(_SENT)
    for code, statement in _STATEMENTS.items():
        kind = KINDS[code]
        if kind.store in away or (looked_at_before and not kind.may_pass):
            continue
        if code == "not-sent" and not is_topic_whole and ANALYTICS in away:
            continue  # No store can tell.
        found = statement.format(not_sent="true" if is_topic_whole else f"NOT {_COUNTED_ANYWAY}")
        rows = f"SELECT '{code}', found.* FROM ({found}) AS found"  # noqa: S608 - all constants
        space.rows(f"INSERT INTO difference {rows}")
