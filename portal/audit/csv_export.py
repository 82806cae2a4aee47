"""The trail as a CSV file."""

from collections.abc import Iterable, Iterator

from django.utils import timezone

from portal.audit.selectors import Entry
from portal.csv_safe import csv_line

HEADER = ["at", "user_id", "who", "what", "patient_count", "mrns", "door", "request_id", "route"]


def as_csv(entries: Iterable[Entry]) -> Iterator[str]:
    """A line for each entry behind the header; times are the clinic's, with their offset."""
    yield csv_line(HEADER)
    for one in entries:
        at = timezone.localtime(one.at).isoformat(timespec="microseconds")
        mrns = " ".join(mrn for _, mrn in one.patients)
        user = "" if one.user_id is None else str(one.user_id)
        yield csv_line(
            [at, user, one.who, one.what, str(one.count), mrns, one.door, one.request_id, one.route]
        )
