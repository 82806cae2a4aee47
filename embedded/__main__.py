"""`python -m embedded run [--data DIR] [-- COMMAND...]` runs the portal, or one command, on servers
of this machine."""

import argparse
import shutil
import signal
import sys
from pathlib import Path
from types import FrameType

from embedded.environment import ROOT
from embedded.run import join_run, run_command, run_portal, show_users
from embedded.stale_runs import AlreadyRunning, end_stale_processes, lock_folder

HELP = """run            sets up and runs the whole portal until Ctrl-C
run -- COMMAND runs a command on the servers of the run in progress, or on its own
users          prints again how to sign in to the run in progress
clean          removes all data, unless a run is in progress"""


def main(arguments: list[str]) -> int:
    ours, command = _split(arguments)
    parser = argparse.ArgumentParser(
        prog="python -m embedded", usage="%(prog)s {run,users,clean} [--data DIR] [-- COMMAND...]"
    )
    parser.description, parser.formatter_class = HELP, argparse.RawDescriptionHelpFormatter
    parser.add_argument("what", choices=["run", "users", "clean"], help=argparse.SUPPRESS)
    parser.add_argument(
        "--data", type=Path, default=ROOT / ".run", help="the folder for all data (.run)"
    )
    options = parser.parse_args(ours)
    data = options.data.resolve()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _interrupt)
    if options.what == "users":
        return show_users(data)
    try:
        return _run(data, command) if options.what == "run" else _clean(data)
    except (AlreadyRunning, RuntimeError) as reason:
        print(reason, file=sys.stderr)
        return 1
    except KeyboardInterrupt as interrupt:
        return 128 + int(interrupt.args[0]) if command else 0


def _run(data: Path, command: list[str]) -> int:
    try:
        with lock_folder(data):
            end_stale_processes(data)
            return run_command(data, command) if command else run_portal(data)
    except AlreadyRunning:
        if not command:
            raise
        return join_run(data, command)


def _clean(data: Path) -> int:
    if (data / "secrets.env").exists():  # Otherwise the folder is not ours to remove.
        with lock_folder(data):
            end_stale_processes(data)
            shutil.rmtree(data)
    return 0


def _split(arguments: list[str]) -> tuple[list[str], list[str]]:
    if "--" not in arguments:
        return arguments, []
    at = arguments.index("--")
    return arguments[:at], arguments[at + 1 :]


def _interrupt(number: int, _frame: FrameType | None) -> None:
    """Unwinds the stack once. A second signal must not cut the clean-up short."""
    for handled in (signal.SIGINT, signal.SIGTERM):
        signal.signal(handled, signal.SIG_IGN)
    raise KeyboardInterrupt(number)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
