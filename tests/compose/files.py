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
    """One stage of the Dockerfile, with what it takes over from the stage below it."""

    base: str
    steps: list[tuple[str, str]] = field(default_factory=list)
    env: dict[str, str] = field(default_factory=dict)
    user: str = "root"
    command: list[str] = field(default_factory=list)

    def of(self, keyword: str) -> list[str]:
        return [text for each, text in self.steps if each == keyword]


def read_services() -> dict[str, Service]:
    """A fresh copy of all services, anchors and merges resolved."""
    return yaml.safe_load((ROOT / "compose.yaml").read_text())["services"]


def read_stages(text: str = "") -> dict[str, Stage]:
    """The stages of the Dockerfile by their names."""
    lines = re.sub(r"^\s*#.*\n", "", text or DOCKERFILE.read_text(), flags=re.MULTILINE)
    stages: dict[str, Stage] = {}
    for line in re.sub(r"\\\n\s*", "", lines).splitlines():
        keyword, _, rest = line.strip().partition(" ")
        if keyword == "FROM":
            base, _, name = rest.partition(" AS ")
            below = stages.get(base, Stage(base))
            stage = stages[name] = Stage(base, [], dict(below.env), below.user, below.command)
        elif keyword:
            _take(stage, keyword, rest.strip())
    return stages


def _take(stage: Stage, keyword: str, rest: str) -> None:
    stage.steps.append((keyword, rest))
    if keyword == "ENV":
        stage.env |= dict(part.split("=", 1) for part in shlex.split(rest))
    elif keyword == "USER":
        stage.user = rest
    elif keyword == "CMD":
        stage.command = json.loads(rest)


def is_ours(service: Service) -> bool:
    return "build" in service


def is_one_shot(service: Service) -> bool:
    return service["restart"] == "no"


def stage_of(service: Service) -> Stage:
    return read_stages()[service["build"]["target"]]


def command_of(service: Service) -> list[str]:
    """What runs in the container, word by word."""
    command = service.get("command", [])
    return (
        shlex.split(command) if isinstance(command, str) else command or stage_of(service).command
    )


def environment_of(service: Service) -> dict[str, str]:
    """What a process of ours finds set: the image's variables, then the service's, each secret as `secret`."""
    image = stage_of(service).env
    given = {
        name: filled(str(value))
        for name, value in service["environment"].items()
        if value is not None
    }
    return image | given


def filled(text: str) -> str:
    """What compose makes of `text` when .env has nothing but secrets."""
    text = re.sub(r"\$\{\w+:\+.*?\}\}", "", text)
    return re.sub(r"\$\{\w+:\?.*?\}", "secret", text).replace("$$", "$")


def asked_for(value: Any) -> list[str]:
    """Each `${...}` in `value`, without its braces."""
    return re.findall(r"\$\{([^{}]+)\}", json.dumps(value))


def documented_variables() -> dict[str, bool]:
    """The variables of .env.example, and whether each is required there."""
    found = re.findall(r"^(#?)([A-Z_]+)=", (ROOT / ".env.example").read_text(), flags=re.MULTILINE)
    return {name: not comment for comment, name in found}
