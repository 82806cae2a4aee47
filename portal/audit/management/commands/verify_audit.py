"""Prove that nobody touched the record of who read and who wrote."""

import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from portal.audit.services import seal_logs
from portal.audit.verification import MOST_TOLD, Finding, is_known, verify_logs


class Command(BaseCommand):
    help = "Compute every seal over the audit anew. Exit code 1, with the broken rows, if something was touched."

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
            "--most", type=int, default=MOST_TOLD, help="how many breaks of a log are named"
        )

    def handle(self, *_: Any, **options: Any) -> None:
        if options["seal"]:
            seal_logs()
        found = list(verify_logs(most_told=options["most"]))
        for one in found:
            self.stdout.write(_line(one))
        lost = [head for head in options["head"] if not is_known(head)]
        for head in lost:
            self.stdout.write(f"Head {head} is none of the seals: they were made anew.")
        if lost or any(one.broken for one in found):
            sys.exit(1)


def _line(one: Finding) -> str:
    more = one.broken_count - len(one.broken)
    breaks = "; ".join([*one.broken, *([f"and {more:,} more"] if more else [])])
    broken = f"BROKEN, {breaks}. " if breaks else ""
    open_ones = f" {one.unsealed_count:,} are not sealed yet." if one.unsealed_count else ""
    head = f" Head {one.head}" if one.head else ""
    agree = f"{one.row_count:,} rows under {one.seal_count:,} seals agree."
    return f"{one.log.capitalize()}: {broken}{agree}{open_ones}{head}"
