"""Each service starts after what it needs, and waits for nothing else."""

import pytest

from tests.compose.files import Service, is_one_shot, read_services

SERVICES = read_services()
WAITING = {name: service for name, service in SERVICES.items() if "depends_on" in service}


def wrong_dependencies(service: Service, services: dict[str, Service]) -> set[str]:
    """Returns the dependencies that do not exist, or have the wrong condition."""
    return {
        name
        for name, how in service["depends_on"].items()
        if name not in services or how["condition"] != condition_for(services[name])
    }


def condition_for(service: Service) -> str:
    return "service_completed_successfully" if is_one_shot(service) else "service_healthy"


@pytest.mark.parametrize("name", WAITING)
def test_each_service_waits_for_services_that_exist_and_in_the_right_way(name):
    assert wrong_dependencies(WAITING[name], SERVICES) == set()


@pytest.mark.parametrize(
    ("name", "condition"),
    [
        ("database", "service_healthy"),
        ("migrate", "service_started"),
        ("postgres", "service_completed_successfully"),
    ],
)
def test_a_wrong_dependency_is_found(name, condition):
    assert wrong_dependencies({"depends_on": {name: {"condition": condition}}}, SERVICES) == {name}


def all_before(name: str) -> set[str]:
    """Returns all services that a service waits for, directly or indirectly."""
    direct = set(SERVICES[name].get("depends_on", {}))
    return direct.union(*(all_before(dependency) for dependency in direct))


@pytest.mark.parametrize(
    ("name", "before"),
    [
        ("portal", {"postgres", "databases", "migrate"}),
        ("worker", {"postgres", "databases", "migrate"}),
        ("relay", {"postgres", "databases", "migrate", "kafka", "topics"}),
        ("billing", {"postgres", "databases", "billing-migrate"}),
        ("analytics", {"postgres", "databases", "analytics-migrate", "kafka", "topics"}),
    ],
)
def test_a_process_waits_for_its_own_stores_and_for_no_neighbour(name, before):
    assert all_before(name) == before


def test_every_one_shot_is_waited_for():
    waited_for = {name for service in WAITING.values() for name in service["depends_on"]}
    assert {name for name, service in SERVICES.items() if is_one_shot(service)} <= waited_for
