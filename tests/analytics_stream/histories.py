"""Long stories for processes: the facts of many events, sent to a broker and counted by the rules alone."""

from tests.analytics_stream.memory_store import MemoryStore
from tests.analytics_stream.messages import event, message
from tests.analytics_stream.worker_process import send

REGIONS = ("Ohio", "Utah", "Iowa")


def story(patients, *, versions=1, first=1, region=None):
    """Keyword arguments of `message`: so many patients, each with so many versions; numbers begin at `first`."""
    steps = [
        (number, version)
        for version in range(1, versions + 1)
        for number in range(first, first + patients)
    ]
    return [
        {
            "event_id": first + at,
            "number": number,
            "version": version,
            "region": region or REGIONS[(number + version) % 3],
        }
        for at, (number, version) in enumerate(steps)
    ]


def send_all(broker, facts):
    send(broker, *((fact["number"], message(**fact)) for fact in facts))


def counted(facts):
    """What the database must hold in the end."""
    model = MemoryStore()
    model.count([event(**fact) for fact in facts])
    return model.figures()
