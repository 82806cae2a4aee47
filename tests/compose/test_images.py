"""Every image is pinned or built here."""

import re
import tomllib
import xml.etree.ElementTree as ElementTree

import pytest

from tests.compose.files import ROOT, Service, is_ours, read_services, read_stages, target_of

SERVICES, STAGES = read_services(), read_stages()
PINNED = re.compile(r"[a-z/]+:\d+\.\d+(\.\d+)?(-[a-z]+)*")
# Tags that their publishers list. Not every image has each base: valkey 9.1.2 has no -trixie.
PUBLISHED = {"postgres:18.6-trixie", "valkey/valkey:9.1.2-alpine", "apache/kafka:4.4.0"}


def wrong_image(service: Service) -> str | None:
    target = target_of(service)
    if "build" in service:
        is_fine = service["build"]["target"] == target and target in STAGES
    elif is_ours(service):
        is_fine = target in STAGES and service.get("pull_policy") == "never"
    else:
        is_fine = bool(PINNED.fullmatch(service["image"]))
    return None if is_fine else service["image"]


def builders(services: dict[str, Service]) -> dict[str, list[str]]:
    """Returns the services that build each of our images."""
    return {
        image: [
            name
            for name, service in services.items()
            if service["image"] == image and "build" in service
        ]
        for image in {service["image"] for service in services.values() if is_ours(service)}
    }


@pytest.mark.parametrize("name", SERVICES)
def test_the_image_is_pinned_or_a_target_of_the_dockerfile(name):
    assert wrong_image(SERVICES[name]) is None


@pytest.mark.parametrize(
    "fault",
    [
        {"image": "postgres"},
        {"image": "postgres:latest"},
        {"image": "postgres:18"},
        {"image": "patient-portal/portal:local", "build": {"target": "gone"}},
        {"image": "patient-portal/portal:local", "pull_policy": "missing"},
        {"image": "patient-portal/billing:local", "build": {"target": "portal"}},
    ],
)
def test_a_floating_or_unknown_image_is_found(fault):
    assert wrong_image(fault) == fault["image"]


def test_a_service_that_runs_once_builds_each_image():
    """Two that build one image side by side end with "already exists"."""
    for image, names in builders(SERVICES).items():
        [builder] = names
        assert SERVICES[builder]["restart"] == "no", image


def test_two_services_that_build_one_image_are_found():
    twice = {**SERVICES, "worker": {**SERVICES["worker"], "build": {"target": "portal"}}}
    assert builders(twice)["patient-portal/portal:local"] == ["migrate", "worker"]


def test_the_tags_of_other_images_are_known_to_be_published():
    """A tag that nobody published stops the first start; look it up before you add it here."""
    assert {service["image"] for service in SERVICES.values() if not is_ours(service)} == PUBLISHED


def test_the_base_of_the_images_is_pinned_and_of_a_python_that_we_support():
    [base] = {stage.base for stage in STAGES.values()} - set(STAGES)
    assert PINNED.fullmatch(base)
    oldest = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"][
        "requires-python"
    ].removeprefix(">=")
    version = [int(part) for part in re.findall(r"\d+", base)[:2]]
    assert [int(part) for part in oldest.split(".")] <= version <= [3, 13]


def test_kafka_is_the_version_that_runs_without_docker():
    version = ElementTree.parse(ROOT / "docker/kafka/pom.xml").findtext("{*}version")
    assert SERVICES["kafka"]["image"] == f"apache/kafka:{version}"
