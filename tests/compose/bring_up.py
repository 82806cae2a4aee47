"""`python -m tests.compose.bring_up FOLDER`: brings all of compose.yaml up, in the order of its
dependencies, and prints what became of each service as JSON.

The caller gives it namespaces of its own; they end with it, and so does every process.
"""

import fcntl
import json
import socket
import struct
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.compose.containers import Containers
from tests.compose.files import Service, fill_in, is_one_shot, is_ours, read_services, target_of

START_SECONDS = 150  # Longest wait until a service is healthy, on a busy machine.
SIOCGIFFLAGS, SIOCSIFFLAGS, IFF_UP = 0x8913, 0x8914, 1


def main(folder: Path, changes: dict[str, Service]) -> None:
    """`changes` replace keys of services: a planted fault."""
    services = read_services()
    for name, change in changes.items():
        services[name] |= change
    open_loopback()
    containers = Containers(folder)
    for target in {target_of(service) for service in services.values() if is_ours(service)}:
        containers.build(target)
    states: dict[str, Any] = {}
    for name in in_order(services):
        waits_for = services[name].get("depends_on", {})
        if any(states[needed]["state"] == "failed" for needed in waits_for):
            states[name] = {"state": "failed", "log": "a service that it needs has failed"}
        else:
            states[name] = start(name, services[name], containers)
    states["pages"] = {"state": ask_for_the_sign_in()}
    json.dump(states, sys.stdout)


def in_order(services: dict[str, Service]) -> Iterator[str]:
    """Yields every service after all that it depends on."""
    left = dict(services)
    while left:
        ready = [name for name in left if not set(left[name].get("depends_on", {})) & set(left)]
        for name in ready:
            del left[name]
        yield from ready


def start(name: str, service: Service, containers: Containers) -> dict[str, str]:
    log = containers.folder / f"{name}.log"
    with log.open("w") as output:
        process = subprocess.Popen(containers.command(service), stdout=output, stderr=output)
    if is_one_shot(service):
        state = "completed" if process.wait(START_SECONDS) == 0 else "failed"
    else:
        state = "healthy" if becomes_healthy(service, process, containers) else "failed"
    return {"state": state, "log": log.read_text()[-2000:]}


def becomes_healthy(
    service: Service, process: subprocess.Popen[bytes], containers: Containers
) -> bool:
    deadline = time.monotonic() + START_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        if is_healthy(service, containers):
            return True
        time.sleep(0.2)
    return False


def is_healthy(service: Service, containers: Containers) -> bool:
    """Runs the health check in a container of its own, which sees the same network."""
    kind, *words = [fill_in(word) for word in service["healthcheck"]["test"]]
    if "valkey-cli" in words[0]:
        return is_listening(6379)  # The package of Valkey has the server alone.
    command = words if kind == "CMD" else ["sh", "-c", words[0]]
    check = containers.command(service, command)
    return subprocess.run(check, capture_output=True, check=False).returncode == 0


def is_listening(port: int) -> bool:
    with socket.socket() as connection:
        return connection.connect_ex(("127.0.0.1", port)) == 0


def ask_for_the_sign_in() -> str:
    try:
        with urllib.request.urlopen("http://localhost:4000/sign-in/", timeout=20) as answer:
            return f"{answer.status}"
    except OSError as error:
        return str(error)


def open_loopback() -> None:
    """Sets the loopback device up, which is down in a new network."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as device:
        request = struct.pack("16sh", b"lo", 0).ljust(40, b"\0")
        flags = struct.unpack_from("16sh", fcntl.ioctl(device, SIOCGIFFLAGS, request))[1]
        request = struct.pack("16sh", b"lo", flags | IFF_UP).ljust(40, b"\0")
        fcntl.ioctl(device, SIOCSIFFLAGS, request)


if __name__ == "__main__":
    main(Path(sys.argv[1]), json.loads(sys.argv[2]))
