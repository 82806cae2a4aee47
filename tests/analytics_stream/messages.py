"""Events as the portal sends them, and hypothesis strategies for histories of patients."""

from datetime import UTC, date, datetime, timedelta
from uuid import UUID

from hypothesis import strategies as st

from analytics_stream.folding import decode
from protos.patient.events.v1.patient_event_pb2 import PatientEvent

NOON = datetime(2026, 4, 5, 12, 0, tzinfo=UTC)
TODAY = NOON.date()
KINDS = {"active": "UPDATED", "archived": "ARCHIVED", "merged": "MERGED", "deleted": "DELETED"}


def patient_id(number):
    return str(UUID(int=number))


def make_message(
    event_id=1, *, number=1, version=1, status="active", at=NOON, registered_on=TODAY, **more
):
    """Returns the bytes of an event about patient `number`, with usual values for all that is not
    given."""
    event = PatientEvent(
        patient_id=patient_id(number),
        name="Jane Q. Public",
        email="jane@example.org",
        event_type=f"PATIENT_{'CREATED' if version == 1 else KINDS.get(status, 'UPDATED')}",
        event_id=event_id,
        version=version,
        source="portal",
        status=status,
        registered_on=registered_on.isoformat()
        if isinstance(registered_on, date)
        else registered_on,
        **{
            "sex": "female",
            "birth_year": 1980,
            "region": "Ohio",
            "registered_through": "portal",
            **more,
        },
    )
    if at:
        event.occurred_at.FromDatetime(at)
    return event.SerializeToString()


def make_event(*args, **more):
    return decode(make_message(*args, **more))


@st.composite
def histories(draw):
    """Draws all events of a few patients in order; now and then version 1 is missing."""
    events = []
    for number in range(1, draw(st.integers(1, 5)) + 1):
        registered = {
            "registered_on": TODAY - timedelta(days=draw(st.integers(0, 100))),
            "registered_through": draw(st.sampled_from(["portal", "import"])),
        }
        for version in range(draw(st.sampled_from([1, 1, 1, 2])), draw(st.integers(1, 4)) + 1):
            facts = {
                "status": draw(
                    st.sampled_from(["active", "active", "archived", "merged", "deleted"])
                ),
                "sex": draw(st.sampled_from(["female", "male", ""])),
                "birth_year": draw(st.sampled_from([0, 1930, 1980, 2020])),
                "region": draw(st.sampled_from(["Ohio", "Utah", ""])),
                "at": NOON - timedelta(minutes=draw(st.integers(0, 4000))),
            }
            events.append(
                make_event(len(events) + 1, number=number, version=version, **facts, **registered)
            )
    return events


@st.composite
def deliveries(draw, history):
    """Draws the same events as Kafka may deliver them: in any order, repeated, in batches of any
    size."""
    repeated = draw(st.lists(st.sampled_from(history), max_size=5)) if history else []
    rest, batches = draw(st.permutations(history + repeated)), []
    while rest:
        size = draw(st.integers(1, len(rest)))
        batches.append(rest[:size])
        rest = rest[size:]
    return batches
