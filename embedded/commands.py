"""Several commands of manage.py in one process, one after the other: starting Django once saves seconds."""

import os
import shlex
import sys

import django
from django.core.management import call_command


def run(lines: list[str]) -> None:
    """Each line is a command with its arguments. The first that fails ends the rest."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
    django.setup()
    for line in lines:
        name, *arguments = shlex.split(line)
        call_command(name, *arguments)


if __name__ == "__main__":
    run(sys.argv[1:])
