"""`manage.py clean_patients`: take out what earlier versions stored and today's checks refuse."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from portal.patients.earlier_values import clean_patients

SHOWN = 20  # Records to decide on that the command prints.


class Command(BaseCommand):
    help = (
        "Take out identifiers that prove nothing, such as 000-00-0000, and invisible characters, "
        "which earlier versions stored. Without --apply it counts them. Prints no value of a "
        "patient; the history of each record keeps what it was."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--apply", action="store_true", help="clean the records")

    def handle(self, *_: Any, **options: Any) -> None:
        writes = options["apply"]
        cleaning = clean_patients(writes=writes)
        for kind, count in sorted(cleaning.found.items()):
            self.stdout.write(f"{count:>10,} {kind}")
        if not cleaning.found:
            self.stdout.write("Nothing to clean.")
        elif not writes:
            self.stdout.write("Nothing was changed. Clean them with --apply.")
        if writes:
            self.stdout.write(f"{cleaning.cleaned:>10,} records cleaned")
        for mrn, reason in cleaning.refused[:SHOWN]:
            self.stdout.write(f"MRN {mrn}: {reason}")
        if cleaning.refused or cleaning.changed:
            raise CommandError(
                f"{len(cleaning.refused):,} records are left for a person, and "
                f"{cleaning.changed:,} were changed meanwhile. Correct the former on their pages; "
                "for the latter run this again."
            )
