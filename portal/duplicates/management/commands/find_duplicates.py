"""`manage.py find_duplicates`: look for pairs of patients who may be one person, as every night."""

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from portal.duplicates.scans import ScanRunning, run_scan
from portal.patients.models import PairState, PossibleDuplicate

WORDS = {
    "compared": "pairs compared",
    "new": "new on the list",
    "taken_off": "left the list",
    "left_out": "groups too large to be one person",
    "open": "to be decided",
    "apart": "set apart",
}


class Command(BaseCommand):
    help = "Look through all active patients for pairs who may be one person. Prints figures, and no names."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="print the figures as JSON")

    def handle(self, *_: Any, **options: Any) -> None:
        try:
            scan = run_scan(by=None, tell=self._tell)
        except ScanRunning as error:
            raise CommandError(
                "Another scan is running. Its outcome will be on the page Duplicates."
            ) from error
        counts = {
            state.value: PossibleDuplicate.objects.filter(state=state).count()
            for state in PairState
        }
        figures = {
            **scan.figures,
            "open": counts[PairState.OPEN],
            "apart": counts[PairState.DISMISSED],
        }
        if options["json"]:
            self.stdout.write(json.dumps(figures))
            return
        for name, words in WORDS.items():
            self.stdout.write(f"{figures[name]:>12,} {words}")

    def _tell(self, step: str) -> None:
        self.stderr.write(f"Looking at: {step} ...", self.style.NOTICE)
