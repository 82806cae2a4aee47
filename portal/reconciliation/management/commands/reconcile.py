"""`manage.py reconcile`: prove that patients, log, topic, analytics and billing agree, or mend what does not."""

import io
import json
import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import OperationalError
from rich.console import Console
from rich.table import Table

from portal.reconciliation.check import PATIENCE_SECONDS
from portal.reconciliation.models import ReconcileReport, Verdict
from portal.reconciliation.selectors import as_json
from portal.reconciliation.services import check_now
from portal.reconciliation.workspace import CheckIsRunning

AGREES, DIFFERS, NO_PROOF = 0, 1, 2
SHOWN = 20


class Command(BaseCommand):
    help = (
        "Compare patients, log, outbox, topic, analytics and billing, patient by patient. Exit code 0: they agree, "
        "1: there are differences, 2: no proof, because a store does not answer or another check is running."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--repair", action="store_true", help="heal what differs, then compare once more"
        )
        parser.add_argument("--json", action="store_true", help="print the report as JSON")
        parser.add_argument(
            "--patience", type=float, default=PATIENCE_SECONDS, metavar="SECONDS",
            help="how long what is on its way may take to arrive (default: %(default)s)",
        )  # fmt: skip

    def handle(self, *_: Any, **options: Any) -> None:
        try:
            report = check_now(
                by=None, repair=options["repair"], patience=options["patience"], tell=self._tell
            )
        except CheckIsRunning as error:
            words = (
                "Another reconciliation is running. Wait for its report on the page Reconciliation."
            )
            raise CommandError(words, returncode=NO_PROOF) from error
        except OperationalError as error:
            raise CommandError(
                "The portal's database does not answer.", returncode=NO_PROOF
            ) from error
        self.stdout.write(
            json.dumps(as_json(report), indent=2) if options["json"] else self._in_words(report)
        )
        code = {Verdict.AGREES: AGREES, Verdict.DIFFERS: DIFFERS}.get(
            Verdict(report.status), NO_PROOF
        )
        if code:
            sys.exit(code)

    def _tell(self, step: str) -> None:
        self.stderr.write(f"{step[:1].upper()}{step[1:]} ...", self.style.NOTICE)

    def _in_words(self, report: ReconcileReport) -> str:
        text = io.StringIO()
        console = Console(
            file=text, width=120, force_terminal=self.stdout.isatty(), highlight=False, markup=False
        )
        if report.figures:
            console.print(_figures(report))
        for one in report.repaired:
            console.print(
                f"Repaired: {one['count']:,} {one['what']}. {one.get('problem', '')}".rstrip()
            )
        for one in report.differences[:SHOWN]:
            who = " ".join(filter(None, (one["patient"], one["event"] and f"event {one['event']}")))
            console.print(
                f"{one['store']}: {one['title']}. {who} {one['found']}".rstrip()
                + f"\n  {one['toDo']}"
            )
        if report.difference_count > SHOWN:
            console.print(f"... and {report.difference_count - SHOWN:,} more.")
        console.print(_verdict(report))
        return text.getvalue().rstrip()


def _figures(report: ReconcileReport) -> Table:
    table = Table(title=f"{report.seconds:,.1f} s, {report.figures['peakMemoryMb']:,} MB")
    table.add_column("store")
    for name in ("patients", "changes", "waiting", "differences"):
        table.add_column(name, justify="right")
    table.add_column("note", overflow="fold")
    for one in report.figures["stores"]:
        numbers = (_number(one[name]) for name in ("patients", "changes", "waiting", "differences"))
        table.add_row(one["store"], *numbers, one["note"])
    return table


def _number(value: int | None) -> str:
    return "–" if value is None else f"{value:,}"


def _verdict(report: ReconcileReport) -> str:
    if report.status == Verdict.AGREES:
        return "They agree."
    if report.status == Verdict.DIFFERS:
        return f"{report.difference_count:,} difference(s). {report.message}".rstrip()
    return f"No proof could be given. {report.message}"
