"""Each check is silent on a good run, and finds its planted violation."""

from datetime import UTC, date, datetime, timedelta

import pytest

from tests.fault.checks import violations
from tests.fault.history import NO_PROBLEM, Operation, Outcome
from tests.fault.stores import Account, Counted, LogRow, Message, Person, Poison, Stores

NOON = datetime(2026, 4, 5, 12, 0, tzinfo=UTC)
A, B = "patient-a", "patient-b"


def operation(number, kind, patient, *, outcome=Outcome.OK, version=None, **facts):
    began = NOON.timestamp() + number
    return Operation(
        number,
        kind,
        f"op-{number:06}",
        patient,
        f"fault-{number:06}",
        began=began,
        ended=began + 0.5,
        outcome=outcome,
        version=version,
        **facts,
    )


def row(event_id, patient, version, mark, *, status="active", by=""):
    label = "insert" if version == 1 else "update"
    return LogRow(
        event_id, patient, version, label, status, mark, by, NOON + timedelta(seconds=event_id)
    )


def good():
    """Returns history and stores of a good run.

    A is registered, changed and archived; B is registered by SQL. A change is refused, another one
    has an unknown outcome.
    """
    history = [
        operation(1, "register", A, version=1),
        operation(2, "sql register", ""),
        operation(3, "change if unchanged", A, version=2, expected_version=1),
        operation(4, "archive", A),
        operation(5, "change if unchanged", A, outcome=Outcome.FAILED, expected_version=1),
        operation(6, "change", B, outcome=Outcome.UNKNOWN),
        operation(7, "archive", A),
    ]
    log = [
        row(1, A, 1, "op-000001", by="fault-000001"),
        row(2, B, 1, "op-000002"),
        row(3, A, 2, "op-000003", by="fault-000003"),
        row(4, A, 3, "op-000003", status="archived", by="fault-000004"),
    ]
    facts = {
        "sex": "female",
        "birth_year": 1980,
        "region": "",
        "source": "api",
        "registered_on": date(2026, 4, 5),
    }
    stores = Stores(
        log=log,
        patients=[
            Person(A, 3, "archived", "op-000003", **facts),
            Person(B, 1, "active", "op-000002", **facts),
        ],
        topic=[
            Message(0, 1, A, 1),
            Message(0, 3, A, 2),
            Message(0, 1, A, 1),
            Message(0, 4, A, 3),
            Message(1, 2, B, 1),
        ],
        poison=[Poison("1", 0.0)],
        dead_letters=[Poison("1", 1.0, "no event")],
        states={A: Counted(3, 4, "archived"), B: Counted(1, 2, "active")},
        inbox=[1, 2, 3, 4],
        figures={
            ("events", ""): 4,
            ("minute", "2026-04-05T12:00"): 4,
            ("registered_at", "2026-04-05T12"): 2,
            ("quarter", "2026-04-05T12:00"): 4,
            ("registered_minute", "2026-04-05T12:00"): 2,
            ("status", "archived"): 1,
            ("status", "active"): 1,
            ("registered_on", "2026-04-05"): 2,
            ("sex", "female"): 1,
            ("birth_year", "1980"): 1,
            ("region", "unknown"): 1,
            ("source", "api"): 1,
        },
        asked_accounts=[Account(A, "BA-1", True, 3), Account(B, "BA-2", False, 1)],
        accounts=[Account(A, "BA-1", True, 3), Account(B, "BA-2", False, 1)],
    )
    return history, stores


def broken(history, stores):
    return {name for name, found in violations(history, stores).items() if found}


def test_a_good_run_breaks_nothing():
    assert broken(*good()) == set()


def change_lost(history, stores):
    history[5].outcome = Outcome.OK


def archive_lost(history, stores):
    history[3].request_id = history[6].request_id = "fault-other"
    stores.log[3] = row(4, A, 3, "op-000003", by="fault-other")


def change_twice(history, stores):
    stores.log[3:] = [row(4, A, 3, "op-000009"), row(5, A, 4, "op-000003")]


def archive_twice(history, stores):
    stores.log += [
        row(5, A, 4, "op-000003"),
        row(6, A, 5, "op-000003", status="archived", by="fault-000004"),
    ]


def change_without_request(history, stores):
    stores.log.append(row(5, B, 2, "op-000077"))


def refused_but_done(history, stores):
    stores.log.append(row(5, B, 2, "op-000005"))


def update_lost(history, stores):
    history[2].expected_version = 7


def answer_too_early(history, stores):
    history[2].version = 1


def two_patients_for_a_key(history, stores):
    history[0].patient = B


def version_missing(history, stores):
    del stores.log[2]


def patient_without_log(history, stores):
    stores.log = [row for row in stores.log if row.patient != B]


def patient_differs(history, stores):
    stores.patients[0] = stores.patients[0]._replace(status="active")


def event_not_sent(history, stores):
    stores.topic = [message for message in stores.topic if message.event_id != 3]


def event_without_log_row(history, stores):
    stores.topic.append(Message(0, 99, A, 4))


def event_altered(history, stores):
    stores.topic[0] = Message(0, 1, B, 1)


def out_of_order(history, stores):
    stores.topic[1], stores.topic[3] = stores.topic[3], stores.topic[1]


def two_partitions(history, stores):
    stores.topic[3] = stores.topic[3]._replace(partition=2)


def left_in_outbox(history, stores):
    stores.outbox.append(4)


def quarantined(history, stores):
    stores.quarantine.append(4)


def not_counted(history, stores):
    stores.inbox.remove(4)


def counted_twice(history, stores):
    stores.inbox.append(4)


def older_state(history, stores):
    stores.states[A] = Counted(2, 3, "active")


def wrong_figure(history, stores):
    stores.figures["status", "active"] = 2


def no_account(history, stores):
    del stores.accounts[0]


def two_accounts(history, stores):
    stores.accounts.append(Account(A, "BA-3", True, 3))


def other_account(history, stores):
    stores.accounts[0] = stores.accounts[0]._replace(account_id="BA-9")


def still_open(history, stores):
    stores.accounts[0] = stores.accounts[0]._replace(is_closed=False)


def still_due(history, stores):
    stores.asked_accounts[0] = stores.asked_accounts[0]._replace(due=True)


def account_without_patient(history, stores):
    stores.accounts.append(Account("patient-c", "BA-3", False, 1))


def poison_lost(history, stores):
    stores.dead_letters.clear()


def good_message_set_aside(history, stores):
    stores.dead_letters.append(Poison("not planted", 1.0, "why"))


def letter_without_reason(history, stores):
    stores.dead_letters[0] = Poison("1", 1.0)


def error_without_problem(history, stores):
    history[5].errors.append(NO_PROBLEM)


FOUND_BY = {
    "no acknowledged change is lost": [change_lost, archive_lost],
    "no change has two effects": [change_twice, archive_twice, change_without_request],
    "no refused change has an effect": [refused_but_done],
    "no update is lost": [update_lost, answer_too_early],
    "each key makes one patient": [two_patients_for_a_key],
    "versions have no gap": [version_missing, patient_without_log],
    "patients are as the log says": [patient_differs],
    "all events are on the topic": [event_not_sent, event_without_log_row, event_altered],
    "events come in order": [out_of_order, two_partitions],
    "nothing waits": [left_in_outbox, quarantined],
    "each event is counted once": [not_counted, counted_twice, older_state],
    "figures are right": [wrong_figure],
    "each patient has one account": [
        no_account,
        two_accounts,
        other_account,
        still_open,
        still_due,
        account_without_patient,
    ],
    "errors say what to do": [error_without_problem],
    "poison is set aside": [poison_lost, good_message_set_aside, letter_without_reason],
}


@pytest.mark.parametrize(
    ("name", "plant"),
    [(name, plant) for name, plants in FOUND_BY.items() for plant in plants],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_a_planted_violation_is_found(name, plant):
    history, stores = good()
    plant(history, stores)
    assert name in broken(history, stores)


def test_only_an_emptied_topic_may_hold_a_late_event_first():
    history, stores = good()
    stores.topic.insert(0, Message(0, 4, A, 3))
    assert broken(history, stores) == {"events come in order"}
    stores.was_emptied = True
    assert broken(history, stores) == set()
    stores.topic[2], stores.topic[4] = stores.topic[4], stores.topic[2]
    assert broken(history, stores) == {"events come in order"}


def test_every_check_has_a_planted_violation():
    assert set(FOUND_BY) == set(violations(*good()))
