from contextlib import suppress
from datetime import UTC, date, datetime

import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics_stream.folding import Undecodable, decode
from protos.patient.events.v1.patient_event_pb2 import PatientEvent
from tests.analytics_stream.messages import NOON, make_message, patient_id


def test_an_event_says_when_it_happened_and_what_the_patient_is_now():
    event = decode(
        make_message(
            7, number=3, version=2, status="archived", sex="male", birth_year=1961, region=" Ohio "
        )
    )
    assert (event.event_id, event.occurred_at) == (7, NOON)
    assert event.state == (
        patient_id(3),
        2,
        7,
        "archived",
        "male",
        1961,
        "Ohio",
        NOON.date(),
        "portal",
        None,
    )


def test_version_1_tells_when_the_patient_was_registered():
    assert decode(make_message(version=1)).state.registered_at == NOON
    assert decode(make_message(version=2)).state.registered_at is None


def test_what_is_not_known_is_unknown():
    state = decode(
        make_message(sex="", birth_year=0, region="", registered_on="", registered_through="")
    ).state
    assert (state.sex, state.birth_year, state.region) == ("unknown", 0, "unknown")
    assert (state.registered_on, state.registered_through) == (None, "unknown")


def test_a_sex_from_a_later_contract_counts_as_unknown():
    assert decode(make_message(sex="undetermined")).state.sex == "unknown"


def test_fields_of_a_later_contract_are_passed_over():
    later = make_message() + b"\xfa\x07\x03abc"  # Field 127, three bytes.
    assert decode(later) == decode(make_message())


def test_nanoseconds_are_cut():
    raw = PatientEvent.FromString(make_message())
    raw.occurred_at.CopyFrom(Timestamp(seconds=1_700_000_000, nanos=123_456_789))
    assert decode(raw.SerializeToString()).occurred_at == datetime(
        2023, 11, 14, 22, 13, 20, 123456, tzinfo=UTC
    )


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"event_id": 0}, "event_id"),
        ({"event_id": -4}, "event_id"),
        ({"version": 0}, "version"),
        ({"at": None}, "occurred_at"),
        ({"status": "asleep"}, "status"),
        ({"status": ""}, "status"),
        ({"birth_year": 4_000_000_000}, "birth_year"),
        ({"region": "O\0hio"}, "region"),
        ({"region": "O" * 201}, "region"),
        ({"registered_through": "p" * 5000}, "registered_through"),
        ({"registered_on": "05.04.2026"}, "registered_on"),
        ({"registered_on": "20260405"}, "registered_on"),
        ({"registered_on": "2026-02-30"}, "registered_on"),
    ],
)
def test_a_field_that_breaks_the_contract_is_named_and_its_value_is_not(wrong, field):
    with pytest.raises(Undecodable, match=field) as refused:
        decode(make_message(**wrong))
    values = [str(value) for value in wrong.values() if len(str(value)) > 3]
    assert not [value for value in values if value in str(refused.value)]


def test_a_time_that_no_calendar_has_is_refused():
    raw = PatientEvent.FromString(make_message())
    raw.occurred_at.seconds = 10**13
    with pytest.raises(Undecodable, match="occurred_at"):
        decode(raw.SerializeToString())


@pytest.mark.parametrize("patient_id", ["", "Jane Q. Public", "0190f6c8"])
def test_a_patient_id_that_is_no_uuid_is_refused(patient_id):
    raw = PatientEvent.FromString(make_message())
    raw.patient_id = patient_id
    with pytest.raises(Undecodable, match="patient_id"):
        decode(raw.SerializeToString())


def test_an_older_event_without_a_number_cannot_be_counted_once():
    older = PatientEvent(
        patient_id=patient_id(1), name="Jane Q. Public", event_type="PATIENT_CREATED"
    )
    with pytest.raises(Undecodable, match="missing"):
        decode(older.SerializeToString())


def test_a_message_without_a_value_is_refused():
    with pytest.raises(Undecodable, match="no value"):
        decode(None)


@settings(deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes_are_an_event_or_undecodable(value):
    with suppress(Undecodable):
        assert decode(value).event_id > 0


def test_every_year_of_the_calendar_is_decoded():
    for day in (date(1, 1, 1), date(9999, 12, 31)):
        at = datetime(day.year, day.month, day.day, tzinfo=UTC)
        assert decode(make_message(at=at, registered_on=day)).state.registered_on == day
