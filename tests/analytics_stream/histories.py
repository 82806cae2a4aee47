"""Long histories of patients: facts of many events, to send to a broker or to count directly."""

from tests.analytics_stream.memory_store import MemoryStore
from tests.analytics_stream.messages import make_event, make_message
from tests.analytics_stream.worker_process import send_messages

REGIONS = ("Ohio", "Utah", "Iowa")


def make_history(patients, *, versions=1, first=1, region=None):
    """Returns keyword arguments of `make_message` for so many versions of so many patients.

    Patient and event numbers begin at `first`.
    """
    facts = []
    for version in range(1, versions + 1):
        for number in range(first, first + patients):
            facts.append(
                {
                    "event_id": first + len(facts),
                    "number": number,
                    "version": version,
                    "region": region or REGIONS[(number + version) % 3],
                }
            )
    return facts


def send_events(broker, facts):
    send_messages(broker, *((fact["number"], make_message(**fact)) for fact in facts))


def expected_figures(facts):
    """Returns the figures that the database must hold in the end."""
    model = MemoryStore()
    model.count([make_event(**fact) for fact in facts])
    return model.figures()
