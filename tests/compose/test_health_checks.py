"""Every service that runs has a health check, which asks a route or a table that exists."""

import re
import secrets
from typing import Any, cast
from urllib.parse import urlsplit

import pytest
from aiohttp import web
from django.db import connection
from django.db.utils import ProgrammingError
from django.test import RequestFactory
from django.urls import Resolver404, resolve

from analytics_stream.views import Views
from portal.events import leases
from portal.middleware import is_internal_route
from tests.compose.files import ROOT, Service, is_one_shot, read_services

RUNNING = {name: service for name, service in read_services().items() if not is_one_shot(service)}
IN_PYTHON = [
    name for name, service in RUNNING.items() if "python" in service["healthcheck"]["test"]
]


def check_of(service: Service) -> str:
    """Returns the program of the check, its last argument."""
    return service["healthcheck"]["test"][-1]


def url_of(service: Service) -> tuple[int, str]:
    [url] = re.findall(r"http://127\.0\.0\.1[^\"]+", check_of(service))
    return urlsplit(url).port or 0, urlsplit(url).path


@pytest.mark.parametrize("name", RUNNING)
def test_the_service_has_a_check_with_limits(name):
    check = RUNNING[name]["healthcheck"]
    assert check["test"][0] in ("CMD", "CMD-SHELL")
    assert {"interval", "timeout", "retries", "start_period"} <= set(check)


@pytest.mark.parametrize("name", RUNNING)
def test_the_check_needs_no_program_that_slim_images_lack(name):
    assert not re.search(
        r"\b(curl|wget|grpc_health_probe)\b", str(RUNNING[name]["healthcheck"]["test"])
    )


@pytest.mark.parametrize("name", IN_PYTHON)
def test_the_python_of_the_check_compiles(name):
    assert RUNNING[name]["healthcheck"]["test"][:3] == ["CMD", "python", "-c"]
    compile(check_of(RUNNING[name]), name, "exec")


def is_internal(path: str) -> bool:
    request = RequestFactory().get(path)
    try:
        request.resolver_match = resolve(path)
    except Resolver404:
        return False
    return is_internal_route(request)


def test_the_check_of_the_portal_asks_an_internal_route(settings):
    port, path = url_of(RUNNING["portal"])
    assert port == settings.INTERNAL_PORT
    assert is_internal(path)


@pytest.mark.parametrize("path", ["/health/alive", "/sign-in/", "/health/live/"])
def test_a_route_that_is_not_internal_is_found(path):
    assert not is_internal(path)


def routes_of_analytics() -> set[str]:
    app, unused = web.Application(), cast("Any", None)
    Views(unused, unused, unused, unused).add_routes(app)
    return {resource.canonical for resource in app.router.resources()}


def test_the_check_of_analytics_asks_a_route_that_it_serves():
    port, path = url_of(RUNNING["analytics"])
    assert port == 4002
    assert path in routes_of_analytics()
    assert "/health/alive" not in routes_of_analytics()


def test_the_check_of_billing_asks_its_own_port_with_the_package_it_has():
    assert "127.0.0.1:9001" in check_of(RUNNING["billing"])
    assert "grpcio-health-checking==" in (ROOT / "requirements" / "billing.txt").read_text()


def has_leader() -> bool:
    """Tells whether the check of the relay finds a leader in the database."""
    [query] = re.findall(r'execute\("(.*?)"\)', check_of(RUNNING["relay"]))
    with connection.cursor() as cursor:
        cursor.execute(query)
        return cursor.fetchone() is not None


@pytest.mark.django_db
def test_the_check_of_the_relay_sees_whether_one_leads():
    assert not has_leader()
    holder = secrets.token_hex(4)
    leases.acquire_lease(holder)
    assert has_leader()


@pytest.mark.django_db
def test_the_check_of_the_relay_would_fail_on_another_table(monkeypatch):
    monkeypatch.setitem(
        RUNNING["relay"]["healthcheck"], "test", ['execute("SELECT 1 FROM relay_lease")']
    )
    with pytest.raises(ProgrammingError):
        has_leader()


def test_the_check_of_the_worker_asks_celery_for_this_container():
    assert check_of(RUNNING["worker"]).startswith("celery inspect ping")
    assert "celery@$$HOSTNAME" in check_of(RUNNING["worker"])
    assert any(
        "celery" in need for need in (ROOT / "requirements" / "portal.in").read_text().splitlines()
    )
