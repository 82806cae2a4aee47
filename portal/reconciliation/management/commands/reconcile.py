"""`manage.py reconcile`: check that all stores agree, and on request repair what differs."""

import io
import json
import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import OperationalError
from rich.console import Console
from rich.table import Table

from portal.jobs import Busy
from portal.reconciliation.models import ReconcileReport, Verdict
from portal.reconciliation.selectors import as_json
from portal.reconciliation.services import check_now
from portal.reconciliation.stores import PATIENCE_SECONDS

AGREES, DIFFERS, NO_PROOF = 0, 1, 2  # Exit codes.
SHOWN = 20  # Differences that the command prints.
_ANOTHER_RUNS = "Another reconciliation is running. Wait for its report on the page Reconciliation."


class Command(BaseCommand):
    help = (
        "Compare patients, log, outbox, topic, analytics and billing, patient by patient. "
        "Exit code 0: they agree, 1: there are differences, 2: no proof, because a store does not "
        "answer or another check is running."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--repair", action="store_true", help="repair what differs, then compare once more"
        )
        parser.add_argument("--json", action="store_true", help="print the report as JSON")
        parser.add_argument(
            "--patience",
            type=float,
            default=PATIENCE_SECONDS,
            metavar="SECONDS",
            help="how long what is on its way may take to arrive (default: %(default)s)",
        )

    def handle(self, *_: Any, **options: Any) -> None:
        try:
            report = check_now(
                by=None,
                repair=options["repair"],
                patience=options["patience"],
                on_step=self._print_step,
            )
        except Busy as error:
            raise CommandError(_ANOTHER_RUNS, returncode=NO_PROOF) from error
        except OperationalError as error:
            text = "The portal's database does not answer."
            raise CommandError(text, returncode=NO_PROOF) from error
        self.stdout.write(
            json.dumps(as_json(report), indent=2) if options["json"] else self._as_text(report)
        )
        code = {Verdict.AGREES: AGREES, Verdict.DIFFERS: DIFFERS}.get(
            Verdict(report.status), NO_PROOF
        )
        if code:
            sys.exit(code)

    def _print_step(self, step: str) -> None:
        self.stderr.write(f"{step[:1].upper()}{step[1:]} ...", self.style.NOTICE)

    def _as_text(self, report: ReconcileReport) -> str:
        text = io.StringIO()
        console = Console(
            file=text, width=120, force_terminal=self.stdout.isatty(), highlight=False, markup=False
        )
        if report.figures:
            console.print(_figures_table(report))
        for repair in report.repaired:
            problem = repair.get("problem", "")
            line = f"Repaired: {repair['count']:,} {repair['what']}. {problem}"
            console.print(line.rstrip())
        for difference in report.differences[:SHOWN]:
            console.print(_difference_text(difference))
        if report.difference_count > SHOWN:
            console.print(f"... and {report.difference_count - SHOWN:,} more.")
        console.print(_verdict_text(report))
        return text.getvalue().rstrip()


def _difference_text(difference: dict[str, Any]) -> str:
    event = f"event {difference['event']}" if difference["event"] else None
    names = " ".join(filter(None, (difference["patient"], event)))
    line = f"{difference['store']}: {difference['title']}. {names} {difference['found']}"
    return f"{line.rstrip()}\n  {difference['toDo']}"


def _figures_table(report: ReconcileReport) -> Table:
    table = Table(title=f"{report.seconds:,.1f} s, {report.figures['peakMemoryMb']:,} MB")
    columns = ("patients", "changes", "waiting", "differences")
    table.add_column("store")
    for name in columns:
        table.add_column(name, justify="right")
    table.add_column("note", overflow="fold")
    for store in report.figures["stores"]:
        numbers = [_number_text(store[name]) for name in columns]
        table.add_row(store["store"], *numbers, store["note"])
    return table


def _number_text(value: int | None) -> str:
    return "–" if value is None else f"{value:,}"


def _verdict_text(report: ReconcileReport) -> str:
    if report.status == Verdict.AGREES:
        return "They agree."
    if report.status == Verdict.DIFFERS:
        return f"{report.difference_count:,} difference(s). {report.message}".rstrip()
    return f"No proof could be given. {report.message}"
