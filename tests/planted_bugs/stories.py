"""Stories that show a bug. Each story passes with the code as it is."""

from tests.planted_bugs.story import Story
from tests.simulator import desks


def killed_while_sending(story: Story) -> None:
    story.register()
    story.relay("events", dies="the broker gets")


def killed_while_asking_billing(story: Story) -> None:
    story.register()
    story.relay("billing", dies="billing is called")


def an_earlier_event_is_committed_later(story: Story) -> None:
    story.begin(desk=0)
    story.register(desk=0)
    story.register()
    story.relay("events", stops="the broker answers")
    story.commit(desk=0)
    story.relay("events")


def an_old_transaction_commits_last(story: Story) -> None:
    patient = story.register()
    story.begin(desk=0)
    story.world.clock.advance(1)
    story.change(patient)
    story.change(patient, desk=0)
    story.commit(desk=0)
    story.relay("events")


def the_broker_is_away(story: Story) -> None:
    story.world.broker.is_away = True
    story.register()
    story.relay("events")


def a_batch_is_lost_silently(story: Story) -> None:
    story.register()
    story.the_broker_will("request lost")
    story.relay("events")


def the_broker_takes_a_part(story: Story) -> None:
    patient = story.register()
    story.change(patient)
    story.the_broker_will("first message lost")
    story.relay("events")


def the_broker_refuses_an_event(story: Story) -> None:
    story.register()
    story.the_broker_will("first message too large")
    story.relay("events")


def the_broker_starts_anew(story: Story) -> None:
    story.register()
    story.relay("events")
    story.count()
    story.world.start_broker_anew()


def the_topic_is_filled_again_unnoticed(story: Story) -> None:
    """Workers read on at their old offset, in a topic that was filled again."""
    patient = story.register()
    story.the_broker_will("reply lost")
    story.relay("events")
    story.relay("events")
    story.count()
    story.world.start_broker_anew()
    for _ in range(4):
        story.register()
    story.change(patient)
    story.relay("events")
    story.count()


def a_patient_is_changed_often(story: Story) -> None:
    patient = story.register()
    for field in desks.FIELDS:
        story.change(patient, field)
    story.relay("events")


def no_consumer_reads_for_a_while(story: Story) -> None:
    story.world.keep_no_more_than(5_000)
    patient = story.register()
    for _ in range(20):
        story.change(patient)
    for _ in range(20):
        story.relay("events")


def a_refused_event_is_sent_later(story: Story) -> None:
    patient = story.register()
    story.relay("events")
    story.change(patient, "region")
    story.the_broker_will("first message too large")
    story.relay("events")
    story.change(patient, "region")
    story.relay("events")
    story.count()
    story.send_refused_events_again()


def a_relay_sleeps_before_asking_billing(story: Story) -> None:
    story.register()
    story.relay("billing", stops="statement")
    story.another_leads()
    story.relay("billing")


def two_relays(story: Story) -> None:
    story.lead(0)
    story.lead(1)


def a_machine_is_suspended_after_sending(story: Story) -> None:
    story.register()
    story.relay("events", stops="the broker answers")
    story.another_leads(clock_stands_still=True)
    story.relay("events")


def a_relay_sleeps_before_sending(story: Story) -> None:
    story.register()
    story.relay("events", stops="the broker gets")
    story.another_leads()
    story.relay("events")


def a_machine_is_suspended_while_billing_answers(story: Story) -> None:
    story.register()
    story.relay("billing", stops="billing has answered")
    story.another_leads(clock_stands_still=True)
    story.relay("billing", 1, stops="billing is called")
    story.relay("billing", 0)


def an_answer_of_billing_is_lost(story: Story) -> None:
    story.register()
    story.billing_will("reply lost")
    story.relay("billing")


def a_name_is_corrected_while_billing_answers(story: Story) -> None:
    patient = story.register()
    story.relay("billing", stops="billing has answered")
    story.change(patient)
    story.relay("billing")


def an_old_name_reaches_billing_late(story: Story) -> None:
    patient = story.register()
    story.relay("billing")
    story.change(patient)
    story.billing_will("request late")
    story.relay("billing")
    story.change(patient)
    story.world.clock.advance(3)
    story.relay("billing")
    story.late_requests_come_in()


def a_patient_comes_by_sql(story: Story) -> None:
    story.register(desks.insert_by_sql)


def a_patient_is_changed_by_sql(story: Story) -> None:
    story.change(story.register(), act=desks.update_by_sql)


def a_change_is_rolled_back(story: Story) -> None:
    story.begin(desk=0)
    story.register(desk=0)
    story.roll_back(desk=0)


def the_answers_to_a_registration_are_lost(story: Story) -> None:
    story.register_through_the_api(answers_lost=2)


def workers_are_killed_at_each_statement(story: Story) -> None:
    for nth in range(1, 9):
        story.register()
        story.relay("events")
        story.count(dies="statement", nth=nth)


def an_event_comes_twice(story: Story) -> None:
    story.register()
    story.the_broker_will("reply lost")
    story.relay("events")
    story.count()
    story.relay("events")
    story.count()


def a_message_is_no_event(story: Story) -> None:
    story.world.write_rubbish()
    story.count()
