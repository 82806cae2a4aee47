"""The snapshot of the portal's own stores: patients, log, outbox, quarantine and accounts."""

import time

from django.conf import settings

from portal.billing.services import NEED_OF_ACCOUNT
from portal.reconciliation.workspace import Workspace

PAUSE_SECONDS = 0.1  # Between two looks whether something still waits.
TABLES = (
    "snap_patient",
    "snap_event",
    "snap_waiting",
    "snap_quarantined",
    "snap_account",
    "snap_need",
)

_FILL = """
    INSERT INTO snap_patient SELECT id, version, status FROM patients_patient {patients};
    INSERT INTO snap_event
        SELECT pgh_id, pgh_obj_id, version + (pgh_label = 'delete')::int,
            CASE pgh_label WHEN 'delete' THEN 'deleted' ELSE status END, false
        FROM patients_patientevent {events};
    INSERT INTO snap_waiting SELECT event_id FROM patients_eventoutbox {waiting};
    INSERT INTO snap_account
        SELECT patient_id, status, account_id, wanted_version, next_attempt_at IS NOT NULL,
            last_error_code
        FROM billing_billingaccount {accounts};
"""
_CANDIDATES_ONLY = {
    "patients": "WHERE id IN (SELECT patient FROM candidate)",
    "events": "WHERE pgh_obj_id IN (SELECT patient FROM candidate)",
    "waiting": "WHERE event_id IN (SELECT event_id FROM snap_event)",
    "accounts": "WHERE patient_id IN (SELECT patient FROM candidate)",
}
# Most changes are no business of billing's, so an older wanted version alone is no need. The inner
# condition keeps the patients that are looked at closely few.
_NEED = f"""
    INSERT INTO snap_need SELECT id FROM ({NEED_OF_ACCOUNT} AND patient.id IN (
        SELECT p.patient
        FROM snap_patient AS p LEFT JOIN snap_account AS a ON a.patient = p.patient
        WHERE a.patient IS NULL OR (p.version > a.wanted AND NOT a.is_waiting))) AS need
"""  # noqa: S608 - both parts are constants
_STILL_WAITING = """
    SELECT count(*) FROM (
        SELECT 1 FROM snap_waiting JOIN patients_eventoutbox USING (event_id)
        UNION ALL
        SELECT 1
        FROM snap_account AS a JOIN billing_billingaccount AS live ON live.patient_id = a.patient
        WHERE a.is_waiting AND live.next_attempt_at <= now()) AS waiting
"""
# An event leaves the outbox for the topic or for the quarantine in one transaction, so both are
# looked at together. While a topic that lost its events is filled again, the events behind the
# place reached so far wait too.
_SETTLE = """
    DELETE FROM snap_waiting AS w
    WHERE NOT EXISTS (SELECT FROM patients_eventoutbox AS o WHERE o.event_id = w.event_id);
    INSERT INTO snap_quarantined
        SELECT q.event_id, e.patient, q.reason
        FROM events_quarantinedevent AS q JOIN snap_event AS e USING (event_id);
    UPDATE snap_event SET is_held = true
    WHERE event_id IN (SELECT event_id FROM snap_waiting
                       UNION SELECT event_id FROM snap_quarantined)
        OR event_id > (SELECT up_to_event_id FROM events_topicrefill WHERE topic = %s);
    UPDATE snap_account AS a
    SET status = live.status, account_id = live.account_id, wanted = live.wanted_version,
        is_waiting = live.next_attempt_at IS NOT NULL, error = live.last_error_code
    FROM billing_billingaccount AS live WHERE a.is_waiting AND live.patient_id = a.patient;
    DELETE FROM snap_need AS n USING snap_account AS a WHERE a.patient = n.patient AND a.is_waiting;
"""
_EXPECT = """
    INSERT INTO expected
        SELECT patient, count(*), count(DISTINCT version), max(version),
            bool_or(status = 'deleted'),
            count(*) FILTER (WHERE NOT is_held), max(version) FILTER (WHERE NOT is_held)
        FROM snap_event GROUP BY patient
"""


def take_snapshot(space: Workspace, *, seconds: float, candidates_only: bool = False) -> None:
    """Copies the portal's stores as they are at one moment into the tables of the snapshot.

    What was on its way then gets `seconds` to arrive. What waits even then is marked: that is no
    difference, it is work to be done.
    """
    space.empty(*TABLES, "expected")
    conditions = _CANDIDATES_ONLY if candidates_only else dict.fromkeys(_CANDIDATES_ONLY, "")
    with space.repeatable_read():
        space.rows(_FILL.format(**conditions))
        space.rows(
            "ANALYZE snap_patient; ANALYZE snap_event; ANALYZE snap_waiting; ANALYZE snap_account"
        )
        space.rows(_NEED)
    deadline = time.monotonic() + seconds
    while space.value(_STILL_WAITING) and time.monotonic() < deadline:
        time.sleep(PAUSE_SECONDS)
    with space.repeatable_read():
        space.rows(_SETTLE, [settings.KAFKA_TOPIC_PATIENT])
    space.rows(_EXPECT)
    space.rows("ANALYZE snap_event; ANALYZE expected")
