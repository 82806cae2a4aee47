"""Sets up a portal to try: a user of each role and some made-up patients."""

import os
from argparse import ArgumentParser
from typing import Any

from django.contrib.auth.models import Group
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction
from django.utils import timezone

from portal.accounts.models import User
from portal.accounts.roles import ROLES
from portal.duplicates.scans import request_scan
from portal.imports.demo_patients import demo_patients
from portal.patients.models import Patient, Source
from portal.patients.selectors import patients_with_identifiers
from portal.patients.services import register_patients
from portal.patients.validation import validate_details

DOMAIN = "demo.example"


class Command(BaseCommand):
    help = (
        f"Make a user of each role (frontdesk@{DOMAIN}, clinician@{DOMAIN} ...) with the password "
        "in DEMO_PASSWORD, and made-up patients. Users and patients that exist stay as they are. "
        "Do not use it in a portal with real patients."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--if-empty", action="store_true", help="do nothing if there are patients already"
        )

    @transaction.atomic
    def handle(self, *_: Any, **options: Any) -> None:
        if options["if_empty"] and Patient.objects.exists():
            self.stdout.write("There are patients already; nothing was made.")
            return
        password = os.environ.get("DEMO_PASSWORD")
        if not password:
            raise CommandError("Set DEMO_PASSWORD: the demo users get it, and there is no default.")
        users = sum(_create_user(role, password) for role in ROLES)
        patients = _register_missing()
        if patients:
            # Some people are in the list twice, so that a scan finds possible duplicates.
            request_scan(by=None)
        self.stdout.write(f"{users} users and {patients} patients made.")


def _create_user(role: str, password: str) -> bool:
    """Creates the demo user of this role; False if it exists."""
    email = f"{role.replace(' ', '')}@{DOMAIN}"
    if User.objects.filter(email=email).exists():
        return False
    user = User.objects.create_user(
        email, password, full_name=f"Demo {role}", is_staff=role == "operator"
    )
    user.groups.add(Group.objects.get(name=role))
    return True


def _register_missing() -> int:
    """Registers the demo patients that do not exist, and returns how many."""
    people = [validate_details(details) for details in demo_patients(timezone.localdate())]
    registered = patients_with_identifiers(_identifier(details) for details in people)
    missing = [details for details in people if _identifier(details) not in registered]
    return len(register_patients(missing, by=None, source=Source.COMMAND))


def _identifier(details: dict[str, Any]) -> tuple[str, str]:
    identifier = details["identifiers"][0]
    return identifier["system"], identifier["value"]
