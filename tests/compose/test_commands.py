"""Every command exists in the code."""

import re
import subprocess
import sys
from functools import cache

import pytest
from django.core.management import CommandError, get_commands, load_command_class
from honcho.environ import parse_procfile

from tests.compose.files import ROOT, command_of, is_one_shot, is_ours, read_services

SERVICES = {name: service for name, service in read_services().items() if is_ours(service)}
ONE_SHOTS = [name for name, service in SERVICES.items() if is_one_shot(service)]


def is_known(command: list[str]) -> bool:
    match command:
        case ["python", "manage.py", name, *arguments]:
            return name in get_commands() and _takes(name, arguments)
        case ["python", "-m", module, name]:
            return name in _choices(module)
    return False


def _takes(name: str, arguments: list[str]) -> bool:
    command = get_commands()[name]
    command = load_command_class(command, name) if isinstance(command, str) else command
    try:
        command.create_parser("manage.py", name).parse_args(arguments)
    except CommandError:
        return False
    return True


@cache
def _choices(module: str) -> list[str]:
    help_run = subprocess.run(
        [sys.executable, "-m", module, "--help"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    choices = re.search(r"\{([\w,]+)\}", help_run.stdout)
    return choices[1].split(",") if choices else []


@pytest.mark.parametrize("name", ONE_SHOTS)
def test_a_one_shot_runs_a_command_of_ours(name):
    assert is_known(command_of(SERVICES[name]))


@pytest.mark.parametrize(
    "command",
    [
        ["python", "manage.py", "migrate_all"],
        ["python", "manage.py", "migrate", "--soon"],
        ["python", "-m", "billing_grpc", "upgrade"],
        ["python", "-m", "invoices", "migrate"],
    ],
)
def test_an_unknown_command_is_found(command):
    assert not is_known(command)


def test_the_processes_are_those_of_the_procfile():
    procfile = parse_procfile((ROOT / "Procfile").read_text())
    running = {
        name: command_of(service) for name, service in SERVICES.items() if name not in ONE_SHOTS
    }
    assert running == {name: command.split() for name, command in procfile.processes.items()}


def test_the_one_shots_prepare_the_three_databases_and_the_topics():
    done = {name: command_of(SERVICES[name])[1:] for name in ONE_SHOTS}
    assert done == {
        "migrate": ["manage.py", "migrate", "--no-input"],
        "topics": ["manage.py", "create_topics"],
        "billing-migrate": ["-m", "billing_grpc", "migrate"],
        "analytics-migrate": ["-m", "analytics_stream", "migrate"],
    }
