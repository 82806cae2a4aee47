"""`python -m embedded run [--data DIR] [-- COMMAND...]`: the portal, or one command, on servers of this machine."""

import argparse
import shutil
import signal
import sys
from pathlib import Path
from types import FrameType

from embedded.environment import ROOT
from embedded.run import join_with, run_command, run_portal
from embedded.stale_runs import AlreadyRunning, end_leftovers, only_run

HELP = """run            sets up and runs the whole portal until Ctrl-C
run -- COMMAND runs a command with the environment of the servers: of the run in progress, or of its own
clean          removes all data, unless a run is in progress"""


def main(arguments: list[str]) -> int:
    ours, command = _split(arguments)
    parser = argparse.ArgumentParser(
        prog="python -m embedded", usage="%(prog)s {run,clean} [--data DIR] [-- COMMAND...]"
    )
    parser.description, parser.formatter_class = HELP, argparse.RawDescriptionHelpFormatter
    parser.add_argument("what", choices=["run", "clean"], help=argparse.SUPPRESS)
    parser.add_argument(
        "--data", type=Path, default=ROOT / ".run", help="the folder that keeps everything (.run)"
    )
    given = parser.parse_args(ours)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _interrupt)
    try:
        return (
            _run(given.data.resolve(), command)
            if given.what == "run"
            else _clean(given.data.resolve())
        )
    except (AlreadyRunning, RuntimeError) as reason:
        print(reason, file=sys.stderr)
        return 1
    except KeyboardInterrupt as asked:
        return 128 + int(asked.args[0]) if command else 0


def _run(data: Path, command: list[str]) -> int:
    try:
        with only_run(data):
            end_leftovers(data)
            return run_command(data, command) if command else run_portal(data)
    except AlreadyRunning:
        if not command:
            raise
        return join_with(data, command)


def _clean(data: Path) -> int:
    if (data / "secrets.env").exists():  # Else it is no folder of ours.
        with only_run(data):
            end_leftovers(data)
            shutil.rmtree(data)
    return 0


def _split(arguments: list[str]) -> tuple[list[str], list[str]]:
    if "--" not in arguments:
        return arguments, []
    at = arguments.index("--")
    return arguments[:at], arguments[at + 1 :]


def _interrupt(number: int, _frame: FrameType | None) -> None:
    """Unwind once; asking again must not cut the clearing up short."""
    for one in (signal.SIGINT, signal.SIGTERM):
        signal.signal(one, signal.SIG_IGN)
    raise KeyboardInterrupt(number)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
