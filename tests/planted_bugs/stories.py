"""What has to happen for a careless line to show. Each story is green with the code as it is."""

from tests.planted_bugs.story import Telling
from tests.simulator import desks


def killed_while_sending(tell: Telling) -> None:
    tell.register()
    tell.relay("events", dies="the broker gets")


def killed_while_asking_billing(tell: Telling) -> None:
    tell.register()
    tell.relay("billing", dies="billing is called")


def an_earlier_event_is_committed_later(tell: Telling) -> None:
    tell.begin(desk=0)
    tell.register(desk=0)
    tell.register()
    tell.relay("events", stops="the broker answers")
    tell.commit(desk=0)
    tell.relay("events")


def an_old_transaction_changes_what_a_newer_one_changed(tell: Telling) -> None:
    patient = tell.register()
    tell.begin(desk=0)
    tell.world.clock.pass_by(1)
    tell.change(patient)
    tell.change(patient, desk=0)
    tell.commit(desk=0)
    tell.relay("events")


def the_broker_is_away(tell: Telling) -> None:
    tell.world.broker.is_away = True
    tell.register()
    tell.relay("events")


def the_broker_takes_nothing_and_says_nothing(tell: Telling) -> None:
    tell.register()
    tell.the_broker_will("request lost")
    tell.relay("events")


def the_broker_takes_a_part(tell: Telling) -> None:
    patient = tell.register()
    tell.change(patient)
    tell.the_broker_will("first message lost")
    tell.relay("events")


def the_broker_refuses_one(tell: Telling) -> None:
    tell.register()
    tell.the_broker_will("first message too large")
    tell.relay("events")


def the_broker_starts_anew(tell: Telling) -> None:
    tell.register()
    tell.relay("events")
    tell.count()
    tell.world.start_broker_anew()


def the_topic_is_filled_again_unnoticed(tell: Telling) -> None:
    """Workers read on where they were, in a topic that others have filled from its beginning."""
    patient = tell.register()
    tell.the_broker_will("reply lost")
    tell.relay("events")
    tell.relay("events")
    tell.count()
    tell.world.start_broker_anew()
    for _ in range(4):
        tell.register()
    tell.change(patient)
    tell.relay("events")
    tell.count()


def a_patient_is_changed_often(tell: Telling) -> None:
    patient = tell.register()
    for field in desks.FIELDS:
        tell.change(patient, field)
    tell.relay("events")


def nobody_reads_for_a_while(tell: Telling) -> None:
    tell.world.keep_no_more_than(5_000)
    patient = tell.register()
    for _ in range(20):
        tell.change(patient)
    for _ in range(20):
        tell.relay("events")


def a_refused_event_is_sent_later(tell: Telling) -> None:
    patient = tell.register()
    tell.relay("events")
    tell.change(patient, "region")
    tell.the_broker_will("first message too large")
    tell.relay("events")
    tell.change(patient, "region")
    tell.relay("events")
    tell.count()
    tell.send_refused_events_again()


def a_relay_sleeps_before_asking_billing(tell: Telling) -> None:
    tell.register()
    tell.relay("billing", stops="statement")
    tell.another_leads()
    tell.relay("billing")


def two_relays(tell: Telling) -> None:
    tell.lead(0)
    tell.lead(1)


def a_machine_is_suspended_after_sending(tell: Telling) -> None:
    tell.register()
    tell.relay("events", stops="the broker answers")
    tell.another_leads(clock_stands_still=True)
    tell.relay("events")


def a_relay_sleeps_before_sending(tell: Telling) -> None:
    tell.register()
    tell.relay("events", stops="the broker gets")
    tell.another_leads()
    tell.relay("events")


def a_machine_is_suspended_while_billing_answers(tell: Telling) -> None:
    tell.register()
    tell.relay("billing", stops="billing has done it")
    tell.another_leads(clock_stands_still=True)
    tell.relay("billing", 1, stops="billing is called")
    tell.relay("billing", 0)


def billing_answers_nobody(tell: Telling) -> None:
    tell.register()
    tell.billing_will("reply lost")
    tell.relay("billing")


def a_name_is_corrected_while_billing_answers(tell: Telling) -> None:
    patient = tell.register()
    tell.relay("billing", stops="billing has done it")
    tell.change(patient)
    tell.relay("billing")


def an_old_name_reaches_billing_late(tell: Telling) -> None:
    patient = tell.register()
    tell.relay("billing")
    tell.change(patient)
    tell.billing_will("request late")
    tell.relay("billing")
    tell.change(patient)
    tell.world.clock.pass_by(3)
    tell.relay("billing")
    tell.late_requests_come_in()


def a_patient_comes_by_sql(tell: Telling) -> None:
    tell.register(desks.insert_by_sql)


def a_patient_is_changed_by_sql(tell: Telling) -> None:
    tell.change(tell.register(), act=desks.update_by_sql)


def a_change_is_rolled_back(tell: Telling) -> None:
    tell.begin(desk=0)
    tell.register(desk=0)
    tell.roll_back(desk=0)


def the_answers_to_a_registration_are_lost(tell: Telling) -> None:
    tell.register_through_the_api(answers_lost=2)


def workers_are_killed_at_each_statement(tell: Telling) -> None:
    for nth in range(1, 9):
        tell.register()
        tell.relay("events")
        tell.count(dies="statement", nth=nth)


def an_event_comes_twice(tell: Telling) -> None:
    tell.register()
    tell.the_broker_will("reply lost")
    tell.relay("events")
    tell.count()
    tell.relay("events")
    tell.count()


def a_message_is_no_event(tell: Telling) -> None:
    tell.world.write_rubbish()
    tell.count()
