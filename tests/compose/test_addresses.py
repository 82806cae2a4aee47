"""Ports are those that the code listens on, open on this machine only; each address leads to a
service that listens there."""

import re
import runpy
from urllib.parse import urlsplit

import pytest

from analytics_stream import config as analytics
from billing_grpc import config as billing
from tests.compose.files import (
    ROOT,
    Service,
    documented_variables,
    environment_of,
    fill_in,
    is_ours,
    read_services,
    target_of,
)

SERVICES = read_services()
SERVERS = {name: service for name, service in SERVICES.items() if "ports" in service}
ALL = "0.0.0.0"


def listens_on(name: str, monkeypatch: pytest.MonkeyPatch) -> set[tuple[str, int]]:
    """Returns host and port of each socket, as the code itself chooses them."""
    service = SERVICES[name]
    if not is_ours(service):
        listeners = service["environment"].get("KAFKA_LISTENERS", "")
        usual = {"postgres": (ALL, 5432), "valkey": (ALL, 6379)}
        found = {(host, int(port)) for host, port in re.findall(r"//([\w.]+):(\d+)", listeners)}
        return found or {usual[name]}
    environment = environment_of(service)
    match target_of(service):
        case "billing":
            config = billing.read_config(environment)
        case "analytics":
            config = analytics.read_config(environment)
        case _:
            return _gunicorn(environment, monkeypatch)
    return {(config.host, config.port)}


def _gunicorn(environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> set[tuple[str, int]]:
    for variable in (
        "BIND_HOST",
        "PORTAL_PORT",
        "PORTAL_INTERNAL_PORT",
        "PORTAL_DATA_DIR",
    ):
        monkeypatch.delenv(variable, raising=False)
        if variable in environment:
            monkeypatch.setenv(variable, environment[variable])
    bound = runpy.run_path(str(ROOT / "portal" / "gunicorn.py"))["bind"]
    return {(address.rpartition(":")[0], int(address.rpartition(":")[2])) for address in bound}


def published_ports(service: Service) -> list[list[str]]:
    return [fill_in(port).split(":") for port in service["ports"]]


def ports_open_to_others(service: Service) -> list[list[str]]:
    ports = published_ports(service)
    return [port for port in ports if len(port) != 3 or port[0] != "127.0.0.1"]


@pytest.mark.parametrize("name", SERVERS)
def test_ports_are_open_on_this_machine_alone(name):
    assert ports_open_to_others(SERVERS[name]) == []


@pytest.mark.parametrize("port", ["4000:4000", "0.0.0.0:4000:4000", "4000"])
def test_an_open_port_is_found(port):
    assert ports_open_to_others({"ports": ["127.0.0.1:4003:4003", port]}) != []


@pytest.mark.parametrize("name", SERVERS)
def test_the_code_listens_on_each_published_port(name, monkeypatch):
    sockets = listens_on(name, monkeypatch)
    assert {(ALL, int(inside)) for _, _, inside in published_ports(SERVERS[name])} <= sockets


def test_the_published_ports_are_the_agreed_ones():
    found = {
        name: [int(outside) for _, outside, _ in published_ports(service)]
        for name, service in SERVERS.items()
    }
    assert found == {
        "kafka": [9092],
        "portal": [4000, 4003],
        "billing": [9001],
        "analytics": [4002],
    }


@pytest.mark.parametrize("name", SERVERS)
def test_a_variable_moves_each_published_port(name):
    """Another program may have the port, and `make run` names the same variables."""
    moved = [
        re.fullmatch(r"127\.0\.0\.1:\$\{(\w+):-\d+\}:\d+", port) for port in SERVERS[name]["ports"]
    ]
    assert all(moved)
    assert {match[1] for match in moved if match} <= set(documented_variables())


def test_kafka_names_the_port_that_a_variable_moved():
    [published] = SERVERS["kafka"]["ports"]
    advertised = SERVERS["kafka"]["environment"]["KAFKA_ADVERTISED_LISTENERS"]
    assert advertised.endswith("HOST://localhost:${KAFKA_PORT:-9092}")
    assert published == "127.0.0.1:${KAFKA_PORT:-9092}:9092"


def test_kafka_tells_each_network_the_address_that_works_there():
    advertised = re.findall(
        r"(\w+)://([\w.]+):(\d+)",
        fill_in(SERVICES["kafka"]["environment"]["KAFKA_ADVERTISED_LISTENERS"]),
    )
    assert advertised == [("INSIDE", "kafka", "19092"), ("HOST", "localhost", "9092")]


def addresses(service: Service) -> set[tuple[str, int]]:
    """Returns each host and port that a service is configured to call."""
    environment = environment_of(service)
    urls = [urlsplit(value) for name, value in environment.items() if name.endswith("_URL")]
    plain = [
        urlsplit(f"//{value}")
        for name, value in environment.items()
        if name.endswith(("_ADDRESS", "_SERVERS"))
    ]
    return {(url.hostname or "", url.port or 0) for url in urls + plain}


@pytest.mark.parametrize("name", [name for name, service in SERVICES.items() if is_ours(service)])
def test_every_address_leads_to_a_service_that_listens_there(name, monkeypatch):
    for host, port in addresses(SERVICES[name]):
        assert (ALL, port) in listens_on(host, monkeypatch)


@pytest.mark.parametrize(("address", "found"), [("billing:9002", False), ("billing:9001", True)])
def test_a_wrong_address_is_found(address, found, monkeypatch):
    host, _, port = address.partition(":")
    assert ((ALL, int(port)) in listens_on(host, monkeypatch)) is found


def test_a_proxy_and_the_health_check_may_name_the_portal():
    given = SERVICES["portal"]["environment"]["ALLOWED_HOSTS"]
    assert fill_in(given) == "localhost,127.0.0.1,portal"
    assert given.endswith("${ALLOWED_HOSTS:+,${ALLOWED_HOSTS}}")
