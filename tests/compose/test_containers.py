"""All of compose.yaml comes up: each service with its own command, as its user, on a read-only
tree with its own mounts. No Docker is needed, but root with namespaces."""

import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.compose.containers import NAMESPACES, Containers, account_of, why_not
from tests.compose.files import ROOT, Service, is_one_shot, is_ours, read_services, target_of

SERVICES = read_services()
pytestmark = pytest.mark.skipif(bool(why_not()), reason=f"Containers: {why_not()}")
WITHOUT_OWNER = {"tmpfs": ["/tmp:exec", "/opt/kafka/config", "/opt/kafka/logs"]}

States = dict[str, dict[str, str]]
Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def came_up(tmp_path_factory: pytest.TempPathFactory) -> States:
    return bring_up(tmp_path_factory.mktemp("up"))


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Runs a program in the container of a service; without one, what the service runs."""
    tmp_path.chmod(0o755)

    def run(service: Service, *words: str) -> subprocess.CompletedProcess[str]:
        containers = Containers(tmp_path)
        (tmp_path / "images" / target_of(service)).mkdir(parents=True)
        command = [*NAMESPACES, *containers.command(service, [*words] or None)]
        return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)

    return run


def bring_up(folder: Path, **changes: dict[str, Any]) -> States:
    folder.chmod(0o755)
    command = [*NAMESPACES, sys.executable, "-m", "tests.compose.bring_up", folder]
    done = subprocess.run(
        [*command, json.dumps(changes)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.kafka
@pytest.mark.parametrize("name", SERVICES)
def test_the_service_comes_up(name, came_up):
    expected = "completed" if is_one_shot(SERVICES[name]) else "healthy"
    assert came_up[name]["state"] == expected, came_up[name]["log"]


@pytest.mark.kafka
def test_the_sign_in_page_answers(came_up):
    assert came_up["pages"]["state"] == "200"


def test_kafka_ends_where_its_temporary_folders_belong_to_root(run):
    """Docker gives a tmpfs to root, whoever runs in the container."""
    done = run(SERVICES["kafka"] | WITHOUT_OWNER)
    assert done.returncode == 1
    assert "/opt/kafka/config/ file not writable" in done.stdout


def test_a_mode_in_the_options_does_not_help_kafka(run):
    """The mode of a tmpfs is that of the folder below, whatever the options say."""
    done = run(SERVICES["kafka"] | {"tmpfs": ["/opt/kafka/config:mode=1777"]})
    assert "/opt/kafka/config/ file not writable" in done.stdout


@pytest.mark.parametrize("name", SERVICES)
def test_a_container_can_write_to_its_mounts_alone(name, run):
    """Red when a mount is not writable for the account of the service, or the tree is."""
    service = SERVICES[name]
    mounts = [mount.partition(":")[0] for mount in service.get("tmpfs", [])]
    volumes = [volume.split(":")[1] for volume in service.get("volumes", []) if volume[0] != "."]
    inside = ["/app"] if is_ours(service) else []
    check = 'for folder; do test ! -w "$folder" || echo "$folder"; done'
    places = [*mounts, *volumes, "/", "/usr", "/etc", "/root", *inside]
    done = run(service, "sh", "-c", check, "sh", *places)
    assert done.stderr == ""
    assert done.stdout.split() == [*mounts, *volumes]


@pytest.mark.parametrize("name", SERVICES)
def test_a_container_runs_as_its_user_without_capabilities(name, run):
    status = run(SERVICES[name], "cat", "/proc/self/status").stdout
    values = dict(re.findall(r"^(\w+):\s+(\S+)", status, re.MULTILINE))
    user, group = account_of(SERVICES[name])
    assert (values["Uid"], values["Gid"], values["NoNewPrivs"]) == (str(user), str(group), "1")
    assert {int(values[kind], 16) for kind in ("CapEff", "CapPrm", "CapBnd")} == {0}
