"""Proves that nobody changed the logs of reads and changes."""

import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from portal.audit.services import seal_logs
from portal.audit.verification import MAX_BREAKS, LogFinding, is_known_digest, verify_logs


class Command(BaseCommand):
    help = (
        "Compute every seal over the audit anew. "
        "Exit code 1, with the broken rows, if something was touched."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--seal", action="store_true", help="seal first what no seal covers yet"
        )
        parser.add_argument(
            "--head",
            action="append",
            default=[],
            help="a head that was noted down: it must be known",
        )
        parser.add_argument(
            "--most", type=int, default=MAX_BREAKS, help="how many breaks of a log are named"
        )

    def handle(self, *_: Any, **options: Any) -> None:
        if options["seal"]:
            seal_logs()
        findings = list(verify_logs(max_breaks=options["most"]))
        for finding in findings:
            self.stdout.write(_line(finding))
        lost = [head for head in options["head"] if not is_known_digest(head)]
        for head in lost:
            self.stdout.write(f"Head {head} is none of the seals: they were made anew.")
        if lost or any(finding.broken for finding in findings):
            sys.exit(1)


def _line(finding: LogFinding) -> str:
    breaks = [*finding.broken]
    if more := finding.broken_count - len(breaks):
        breaks.append(f"and {more:,} more")
    line = f"{finding.log.capitalize()}: "
    if breaks:
        line += f"BROKEN, {'; '.join(breaks)}. "
    line += f"{finding.row_count:,} rows under {finding.seal_count:,} seals agree."
    if finding.unsealed_count:
        line += f" {finding.unsealed_count:,} are not sealed yet."
    if finding.head:
        line += f" Head {finding.head}"
    return line
