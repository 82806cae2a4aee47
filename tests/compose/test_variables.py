"""Every process starts with the variables that compose.yaml sets, and all are documented."""

import os
import subprocess
import sys
from functools import cache

import pytest

from analytics_stream import config as analytics
from billing_grpc import config as billing
from tests.compose.files import (
    ROOT,
    Service,
    documented_variables,
    environment_of,
    is_ours,
    read_services,
    read_stages,
    substitutions,
    target_of,
)

SERVICES = {name: service for name, service in read_services().items() if is_ours(service)}
NOT_FOR_USERS = {"PATH", "DJANGO_SETTINGS_MODULE"}  # As are those that begin with PYTHON or PIP_.


def undocumented(names: set[str]) -> set[str]:
    ours = {name for name in names if not name.startswith(("PYTHON", "PIP_"))}
    return ours - NOT_FOR_USERS - set(documented_variables())


def refusal(service: Service) -> str:
    """Returns the error of the code with this environment; empty when it starts."""
    environment = environment_of(service)
    try:
        match target_of(service):
            case "billing":
                billing.read_config(environment)
            case "analytics" if "migrate" in service.get("command", []):
                analytics.read_database_url(environment)
            case "analytics":
                analytics.read_config(environment)
            case _:
                return _settings_refusal(frozenset(environment.items()))
    except (billing.WrongConfig, analytics.WrongConfig) as wrong:
        return str(wrong)
    return ""


@cache
def _settings_refusal(environment: frozenset[tuple[str, str]]) -> str:
    run = subprocess.run(
        [sys.executable, "-c", "import portal.settings"],
        env=dict(environment) | {"PATH": os.environ["PATH"]},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    return run.stderr


@pytest.mark.parametrize("name", SERVICES)
def test_the_code_starts_with_what_it_is_given(name):
    assert refusal(SERVICES[name]) == ""


@pytest.mark.parametrize(
    ("name", "variable"),
    [
        ("portal", "SECRET_KEY"),
        ("relay", "BILLING_GRPC_ADDRESS"),
        ("worker", "CELERY_BROKER_URL"),
        ("topics", "KAFKA_BOOTSTRAP_SERVERS"),
        ("billing", "BILLING_DATABASE_URL"),
        ("analytics", "KAFKA_BOOTSTRAP_SERVERS"),
        ("analytics-migrate", "ANALYTICS_DATABASE_URL"),
    ],
)
def test_a_missing_variable_is_found_and_named(name, variable):
    service = SERVICES[name]
    without = {**service, "environment": {**service["environment"], variable: None}}
    assert variable in refusal(without)


@pytest.mark.parametrize("name", SERVICES)
def test_every_variable_stands_in_the_example(name):
    assert undocumented(set(SERVICES[name]["environment"])) == set()


@pytest.mark.parametrize("stage", read_stages())
def test_every_variable_of_an_image_stands_in_the_example(stage):
    assert undocumented(set(read_stages()[stage].env)) == set()


def test_every_variable_that_compose_asks_for_stands_in_the_example():
    assert (
        undocumented({text.partition(":")[0] for text in substitutions(read_services())}) == set()
    )


def test_an_undocumented_variable_is_found():
    assert undocumented({"SECRET_KEY", "PORTAL_COLOUR"}) == {"PORTAL_COLOUR"}
