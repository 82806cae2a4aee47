"""Older and newer code read each other's PatientEvent."""

import pytest
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.timestamp_pb2 import Timestamp

from protos.patient.events.v1.patient_event_pb2 import PatientEvent
from tests.protos.older import PATIENT_EVENT, older_message

OlderEvent = older_message("PatientEvent", PATIENT_EVENT, package="patient.events")

VALUES = [
    ("0190f6c8-0000-7000-8000-000000000001", "Jane Smith", "jane@example.org", "PATIENT_CREATED"),
    (
        "0190f6c8-0000-7000-8000-000000000002",
        "Zoë Müller-Ðorđević 田中 😀",
        "zoë@bücher.example",
        "PATIENT_UPDATED",
    ),
    ("0190f6c8-0000-7000-8000-000000000003", "", "", "PATIENT_ARCHIVED"),
    ("", "", "", ""),
]


@pytest.mark.parametrize("values", VALUES)
def test_an_older_event_is_read_by_ours(values):
    older = OlderEvent(**dict(zip(PATIENT_EVENT, values, strict=True)))
    newer = PatientEvent.FromString(older.SerializeToString())
    assert (newer.patient_id, newer.name, newer.email, newer.event_type) == values
    assert (newer.event_id, newer.version, list(newer.changed_fields)) == (0, 0, [])


@pytest.mark.parametrize("values", VALUES)
def test_our_event_is_read_by_older_readers(values):
    newer = PatientEvent(
        patient_id=values[0],
        name=values[1],
        email=values[2],
        event_type=values[3],
        event_id=2**63 - 1,
        version=7,
        occurred_at=Timestamp(seconds=1_700_000_000),
        city="Zürich",
        changed_fields=["city", "identifiers"],
        status="active",
    )
    older = OlderEvent.FromString(newer.SerializeToString())
    assert tuple(getattr(older, field) for field in PATIENT_EVENT) == values


@pytest.mark.parametrize("values", VALUES)
def test_the_older_fields_alone_are_the_same_bytes(values):
    newer = PatientEvent(
        patient_id=values[0], name=values[1], email=values[2], event_type=values[3]
    )
    older = OlderEvent(**dict(zip(PATIENT_EVENT, values, strict=True)))
    assert newer.SerializeToString(deterministic=True) == older.SerializeToString(
        deterministic=True
    )


def test_an_older_service_that_passes_our_event_on_loses_nothing():
    newer = PatientEvent(
        patient_id="p", event_id=5, version=2, city="Zürich", changed_fields=["city"]
    )
    passed_on = OlderEvent.FromString(newer.SerializeToString()).SerializeToString()
    assert PatientEvent.FromString(passed_on) == newer


def test_fields_1_to_4_keep_number_type_and_json_name():
    """Fails if a field is renumbered, retyped or made repeated."""
    for name, number in PATIENT_EVENT.items():
        field = PatientEvent.DESCRIPTOR.fields_by_number[number]
        older = OlderEvent.DESCRIPTOR.fields_by_name[name]
        assert (field.type, field.is_repeated, field.has_presence) == (
            FieldDescriptor.TYPE_STRING,
            False,
            False,
        )
        assert field.json_name == older.json_name
