"""Services run without root, without capabilities and with a read-only file system."""

import re

import pytest

from tests.compose.files import ROOT, Service, is_one_shot, is_ours, read_services, stage_of

SERVICES = read_services()
RUNNING = {name: service for name, service in SERVICES.items() if not is_one_shot(service)}


def find_weaknesses(service: Service) -> list[str]:
    """Returns what would make a break-in worse."""
    user = service.get("user") or (stage_of(service).user if is_ours(service) else "root")
    weaknesses = {
        "runs as root": user.split(":")[0] in ("root", "0"),
        "can write to its file system": service.get("read_only") is not True,
        "has capabilities": service.get("cap_drop") != ["ALL"] or "cap_add" in service,
        "may gain privileges": "no-new-privileges:true" not in service.get("security_opt", []),
        "is privileged": bool(service.get("privileged")),
        "shares a namespace": any(
            str(service.get(option, "")).startswith("host") for option in ("network_mode", "pid")
        ),
        "can write to a folder of the host": any(
            map(_is_writable_host_folder, service.get("volumes", []))
        ),
    }
    return [weakness for weakness, is_present in weaknesses.items() if is_present]


def _is_writable_host_folder(volume: str) -> bool:
    return volume.startswith((".", "/", "~")) and not volume.endswith(":ro")


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_has_no_weakness(name):
    assert find_weaknesses(SERVICES[name]) == []


@pytest.mark.parametrize(
    "fault",
    [
        {"user": "root"},
        {"user": "0:0"},
        {"read_only": False},
        {"cap_drop": ["NET_RAW"]},
        {"cap_add": ["SYS_ADMIN"]},
        {"security_opt": []},
        {"privileged": True},
        {"network_mode": "host"},
        {"volumes": ["/var/run/docker.sock:/var/run/docker.sock"]},
        {"volumes": ["./portal:/app/portal"]},
    ],
)
def test_a_weakness_is_found(fault):
    assert len(find_weaknesses({**SERVICES["portal"], **fault})) == 1


def test_an_image_that_runs_as_root_is_found():
    service = {**SERVICES["portal"], "image": "patient-portal/runtime:local"}
    assert find_weaknesses(service) == ["runs as root"]


@pytest.mark.parametrize("name", RUNNING)
def test_a_service_comes_back_by_itself_and_gets_time_to_end(name):
    assert RUNNING[name]["restart"] == "unless-stopped"
    assert int(RUNNING[name]["stop_grace_period"].removesuffix("s")) >= 10


def test_billing_gets_longer_than_it_takes_to_drain():
    [drain] = re.findall(
        r"^DRAIN_SECONDS = ([\d.]+)", (ROOT / "billing_grpc/server.py").read_text(), re.MULTILINE
    )
    assert int(RUNNING["billing"]["stop_grace_period"].removesuffix("s")) > float(drain)


@pytest.mark.parametrize("name", SERVICES)
def test_its_log_cannot_fill_the_disk(name):
    assert {"max-size", "max-file"} <= set(SERVICES[name]["logging"]["options"])


def test_every_volume_in_use_is_declared():
    used = {
        volume.partition(":")[0]
        for service in SERVICES.values()
        for volume in service.get("volumes", [])
    }
    declared = re.findall(
        r"^  ([\w-]+):$", (ROOT / "compose.yaml").read_text().split("\nvolumes:\n")[1], re.MULTILINE
    )
    assert {volume for volume in used if not volume.startswith(".")} == set(declared)
