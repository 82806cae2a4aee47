"""Every image is pinned or built here."""

import re
import tomllib
import xml.etree.ElementTree as ElementTree

import pytest

from tests.compose.files import ROOT, Service, read_services, read_stages

SERVICES, STAGES = read_services(), read_stages()
PINNED = re.compile(r"[a-z/]+:\d+\.\d+(\.\d+)?(-[a-z]+)*")


def wrong_image(service: Service) -> str | None:
    if "build" in service:
        target = service["build"]["target"]
        is_fine = target in STAGES and service["image"] == f"patient-portal/{target}:local"
    else:
        is_fine = bool(PINNED.fullmatch(service["image"]))
    return None if is_fine else service["image"]


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
        {"image": "patient-portal/billing:local", "build": {"target": "portal"}},
    ],
)
def test_a_floating_or_unknown_image_is_found(fault):
    assert wrong_image(fault) == fault["image"]


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
