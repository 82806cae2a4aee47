"""The audit as a CSV file."""

from collections.abc import Iterable, Iterator

from django.utils import timezone

from portal.audit.selectors import AuditEntry
from portal.csv_safe import csv_header, csv_line

HEADER = ["at", "user_id", "who", "what", "patient_count", "mrns", "door", "request_id", "route"]


def as_csv(entries: Iterable[AuditEntry]) -> Iterator[str]:
    """Yields the header and a line for each entry; times are the clinic's, with their offset."""
    yield csv_header(HEADER)
    for entry in entries:
        cells = [
            timezone.localtime(entry.at).isoformat(timespec="microseconds"),
            "" if entry.user_id is None else str(entry.user_id),
            entry.who,
            entry.what,
            str(entry.count),
            " ".join(mrn for _, mrn in entry.patients),
            entry.channel,
            entry.request_id,
            entry.route,
        ]
        yield csv_line(cells)
