"""`manage.py find_duplicates`: scans for possible duplicates now, as every night."""

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from portal.duplicates.scans import run_scan
from portal.jobs import Busy
from portal.patients.models import PairState, PossibleDuplicate

FIGURE_LABELS = {
    "compared": "pairs compared",
    "new": "new on the list",
    "taken_off": "left the list",
    "left_out": "groups too large to be one person",
    "open": "to be decided",
    "apart": "dismissed",
}


class Command(BaseCommand):
    help = "Scan all active patients for possible duplicates. Prints figures, and no names."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="print the figures as JSON")

    def handle(self, *_: Any, **options: Any) -> None:
        try:
            scan = run_scan(by=None, on_step=self._print_step)
        except Busy as error:
            raise CommandError(
                "Another scan is running. Its outcome will be on the page Duplicates."
            ) from error
        figures = dict(scan.figures)
        for state in (PairState.OPEN, PairState.DISMISSED):
            figures[state.value] = PossibleDuplicate.objects.filter(state=state).count()
        if options["json"]:
            self.stdout.write(json.dumps(figures))
            return
        for name, label in FIGURE_LABELS.items():
            self.stdout.write(f"{figures[name]:>12,} {label}")

    def _print_step(self, step: str) -> None:
        self.stderr.write(f"Looking at: {step} ...", self.style.NOTICE)
