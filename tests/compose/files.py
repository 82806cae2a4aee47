"""compose.yaml, the Dockerfile and .env.example as data."""

import json
import re
import shlex
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parent.parent.parent
DOCKERFILE = ROOT / "docker" / "Dockerfile"

Service = dict[str, Any]


@dataclass
class Stage:
    """One stage of the Dockerfile, with what it inherits from its base."""

    base: str
    steps: list[tuple[str, str]] = field(default_factory=list)
    env: dict[str, str] = field(default_factory=dict)
    user: str = "root"
    command: list[str] = field(default_factory=list)

    def steps_of(self, keyword: str) -> list[str]:
        return [text for step_keyword, text in self.steps if step_keyword == keyword]


def read_services() -> dict[str, Service]:
    """Returns a fresh copy of all services, with anchors and merges resolved."""
    return yaml.safe_load((ROOT / "compose.yaml").read_text())["services"]


def read_stages(text: str = "") -> dict[str, Stage]:
    """Returns the stages of the Dockerfile by their names."""
    lines = re.sub(r"^\s*#.*\n", "", text or DOCKERFILE.read_text(), flags=re.MULTILINE)
    stages: dict[str, Stage] = {}
    for line in re.sub(r"\\\n\s*", "", lines).splitlines():
        keyword, _, rest = line.strip().partition(" ")
        if keyword == "FROM":
            base_name, _, name = rest.partition(" AS ")
            base = stages.get(base_name, Stage(base_name))
            stage = stages[name] = Stage(base_name, [], dict(base.env), base.user, base.command)
        elif keyword:
            _add_step(stage, keyword, rest.strip())
    return stages


def _add_step(stage: Stage, keyword: str, rest: str) -> None:
    stage.steps.append((keyword, rest))
    if keyword == "ENV":
        stage.env |= dict(part.split("=", 1) for part in shlex.split(rest))
    elif keyword == "USER":
        stage.user = rest
    elif keyword == "CMD":
        stage.command = json.loads(rest)


def is_ours(service: Service) -> bool:
    return service["image"].startswith("patient-portal/")


def target_of(service: Service) -> str:
    """Returns the target of the Dockerfile that the image of this service is built from."""
    return service["image"].removeprefix("patient-portal/").removesuffix(":local")


def is_one_shot(service: Service) -> bool:
    return service["restart"] == "no"


def stage_of(service: Service) -> Stage:
    return read_stages()[target_of(service)]


def command_of(service: Service) -> list[str]:
    """Returns the command that runs in the container, word by word."""
    command = service.get("command", [])
    if isinstance(command, str):
        return shlex.split(command)
    return command or stage_of(service).command


def environment_of(service: Service) -> dict[str, str]:
    """Returns the environment of a process of ours: the image's variables, then the service's.

    Each secret has the value `secret`.
    """
    image = stage_of(service).env
    given = {
        name: fill_in(str(value))
        for name, value in service["environment"].items()
        if value is not None
    }
    return image | given


def fill_in(text: str) -> str:
    """Returns what compose makes of `text` when .env has nothing but secrets."""
    text = re.sub(r"\$\{\w+:-(.*?)\}", r"\1", text)
    text = re.sub(r"\$\{\w+:\+.*?\}\}", "", text)
    return re.sub(r"\$\{\w+:\?.*?\}", "secret", text).replace("$$", "$")


def substitutions(value: Any) -> list[str]:
    """Returns each `${...}` in `value`, without its braces."""
    return re.findall(r"\$\{([^{}]+)\}", json.dumps(value))


def documented_variables() -> dict[str, bool]:
    """Returns the variables of .env.example, and whether each is required there."""
    found = re.findall(r"^(#?)([A-Z_]+)=", (ROOT / ".env.example").read_text(), flags=re.MULTILINE)
    return {name: not comment for comment, name in found}
