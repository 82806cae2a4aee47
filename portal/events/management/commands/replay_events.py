"""`manage.py replay_events`: have the relay send events again."""

from argparse import ArgumentTypeError
from datetime import datetime
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandParser
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from portal.events.replay import replay_all, replay_patient, replay_since


def parse_moment(text: str) -> datetime:
    """Parses an ISO 8601 time or day; without an offset it is in the clinic's time zone."""
    try:
        parsed = parse_datetime(text if "T" in text or " " in text else f"{text}T00:00")
    except ValueError:
        parsed = None
    if parsed is None:
        raise ArgumentTypeError("Give a time such as 2026-04-05T08:30 or a day such as 2026-04-05.")
    return parsed if timezone.is_aware(parsed) else timezone.make_aware(parsed)


class Command(BaseCommand):
    help = (
        "Put events of the log back into the outbox, so that the relay sends them again. "
        "Readers count each once."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        selection = parser.add_mutually_exclusive_group(required=True)
        selection.add_argument(
            "--all", action="store_true", help="the whole log, for a broker that lost its topic"
        )
        selection.add_argument("--patient", type=UUID, metavar="ID", help="one patient's events")
        selection.add_argument(
            "--since", type=parse_moment, metavar="TIME", help="events at or after this time"
        )

    def handle(self, *_: Any, **options: Any) -> None:
        if options["patient"]:
            count = replay_patient(options["patient"])
        elif options["since"]:
            count = replay_since(options["since"])
        else:
            count = replay_all()
        self.stdout.write(f"{count} event(s) put back into the outbox.")
