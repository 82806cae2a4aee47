"""The Dockerfile copies what exists, installs what is hashed, and ends without a compiler."""

import re
import subprocess
from importlib.metadata import requires

import pytest
from packaging.requirements import Requirement

from tests.compose.files import DOCKERFILE, ROOT, read_services, read_stages

STAGES = read_stages()
TARGETS = ("portal", "billing", "analytics")


def missing_sources(text: str = "") -> list[str]:
    """Returns each COPY whose source the build would not find.

    It may be missing in the tree, excluded by .dockerignore, or of an unknown stage.
    """
    stages = read_stages(text)
    copies = [copy for stage in stages.values() for copy in stage.steps_of("COPY")]
    return [copy for copy in copies if not _has_source(copy, set(stages))]


def _has_source(copy: str, stages: set[str]) -> bool:
    if copy.startswith("--from="):
        return copy.removeprefix("--from=").split()[0] in stages
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    included = {line[1:] for line in lines if line.startswith("!")}
    sources = copy.split()[:-1]
    return all((ROOT / source).exists() and source.split("/")[0] in included for source in sources)


def unhashed_installs(text: str = "") -> list[str]:
    steps = [step for stage in read_stages(text).values() for step in stage.steps_of("RUN")]
    return [
        step
        for step in steps
        if re.search(r"\bpip\b.* install\b", step) and "--require-hashes -r" not in step
    ]


def test_every_source_is_there():
    assert missing_sources() == []


def test_every_install_checks_hashes():
    assert unhashed_installs() == []


@pytest.mark.parametrize(
    "line", ["COPY gone ./", "COPY --from=gone /venv /venv", "COPY docs docs", "COPY .env ./"]
)
def test_a_missing_source_is_found(line):
    assert len(missing_sources(f"{DOCKERFILE.read_text()}\n{line}\n")) == 1


def test_an_install_without_hashes_is_found():
    assert len(unhashed_installs(f"{DOCKERFILE.read_text()}\nRUN pip install gunicorn\n")) == 1


@pytest.mark.parametrize("target", TARGETS)
def test_an_image_holds_the_packages_of_its_own_requirements(target):
    assert f"--from={target}-packages /venv /venv" in STAGES[target].steps_of("COPY")
    assert f"requirements/{target}.txt requirements/" in STAGES[f"{target}-packages"].steps_of(
        "COPY"
    )
    assert any(
        f"-r requirements/{target}.txt" in step
        for step in STAGES[f"{target}-packages"].steps_of("RUN")
    )
    assert (ROOT / "requirements" / f"{target}.txt").exists()


@pytest.mark.parametrize("target", TARGETS)
def test_an_image_shows_the_ports_that_compose_opens(target):
    inside = [port.rpartition(":")[2] for port in read_services()[target]["ports"]]
    assert STAGES[target].steps_of("EXPOSE") == [" ".join(inside)]


@pytest.mark.parametrize("target", TARGETS)
def test_an_image_that_runs_gets_no_compiler(target):
    steps = STAGES["runtime"].steps_of("RUN") + STAGES[target].steps_of("RUN")
    assert not any(re.search(r"\b(apt-get|gcc|build-essential|pip)\b", step) for step in steps)


def test_the_protos_are_generated_as_by_make():
    [ours] = re.findall(
        r"-m grpc_tools\.protoc (.*?) \{", " ".join(STAGES["protos"].steps_of("RUN"))
    )
    [by_make] = re.findall(r"-m grpc_tools\.protoc (.*?) \$<", (ROOT / "Makefile").read_text())
    for_type_checks = {"--pyi_out=."}
    assert set(ours.split()) == set(by_make.split()) - for_type_checks


def test_the_generator_is_picked_with_all_that_it_needs():
    [sed] = re.findall(r"(sed .*?) > ", " ".join(STAGES["protos"].steps_of("RUN")))
    picked = subprocess.run(
        sed, shell=True, cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    packages = re.findall(r"^([\w-]+)==", picked, re.MULTILINE)
    assert set(packages) == needed_by("grpcio-tools")
    assert picked.rstrip().splitlines()[-1].strip().startswith("--hash=sha256:")


def needed_by(package: str) -> set[str]:
    """Returns a package and all that it needs without extras, directly or indirectly."""
    needs = [Requirement(text) for text in requires(package) or []]
    direct = {
        need.name for need in needs if need.marker is None or need.marker.evaluate({"extra": ""})
    }
    return {package}.union(*(needed_by(name) for name in direct))
