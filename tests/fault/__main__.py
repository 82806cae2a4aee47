"""`python -m tests.fault`: faults by seed under load. Exit code 1 means a broken promise."""

import argparse
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from types import FrameType

from embedded.environment import ROOT
from embedded.stale_runs import AlreadyRunning, end_stale_processes, lock_folder
from tests.fault.report import report
from tests.fault.run import Pace, Run, faulty_run

SHORT_SECONDS, SHORT_SLOT_SECONDS, SHORT_CALM_SECONDS = 90.0, 11.0, 1.0
LONG_SLOT_SECONDS, LONG_CALM_SECONDS = 15.0, 3.0
AWAY_CALM_SECONDS = 60.0
INTERRUPTED = 130


def main(arguments: list[str]) -> int:
    given = _parse(arguments)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _interrupt)
    try:
        with lock_folder(given.out):
            return _run_all(given)
    except (AlreadyRunning, RuntimeError) as reason:
        print(reason, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return INTERRUPTED


def _parse(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.fault", description=__doc__)
    parser.add_argument(
        "--seed",
        "--seeds",
        type=_seeds,
        default=[1],
        metavar="N[-M]",
        help="one seed, or from-to (1)",
    )
    parser.add_argument(
        "--seconds", type=float, default=SHORT_SECONDS, help="of faults for each seed (90)"
    )
    parser.add_argument(
        "--minutes", type=float, help="the same in minutes; takes slower slots, as for a long run"
    )
    parser.add_argument(
        "--away-minutes", type=float, help="instead: the broker, then billing, away for so long"
    )
    parser.add_argument(
        "--strict", action="store_true", help="fail on a promised time too; for a machine at rest"
    )
    parser.add_argument(
        "--out",
        type=Path,
        default=ROOT / ".run" / "fault",
        help="takes logs and history (.run/fault)",
    )
    given = parser.parse_args(arguments)
    given.out = given.out.resolve()
    return given


def _seeds(text: str) -> list[int]:
    first, _, last = text.partition("-")
    return list(range(int(first), int(last or first) + 1))


def _run_all(given: argparse.Namespace) -> int:
    runs = [_run(given, seed) for seed in given.seed]
    text, is_good = report(runs, is_strict=given.strict)
    (given.out / "report.md").write_text(text)
    print(text, end="")
    return 0 if is_good else 1


def _run(given: argparse.Namespace, seed: int) -> Run:
    folder: Path = given.out / f"seed-{seed}"
    _clear(folder)
    return faulty_run(
        folder, seed=seed, pace=_pace(given), say=lambda words: print(words, flush=True)
    )


def _pace(given: argparse.Namespace) -> Pace:
    if given.away_minutes:
        return Pace(outage_seconds=given.away_minutes * 60, calm_seconds=AWAY_CALM_SECONDS)
    if given.minutes:
        return Pace(given.minutes * 60, LONG_SLOT_SECONDS, LONG_CALM_SECONDS)
    return Pace(given.seconds, SHORT_SLOT_SECONDS, SHORT_CALM_SECONDS)


def _clear(folder: Path) -> None:
    """Removes what a killed run left here: processes, small disks, files."""
    end_stale_processes(folder)
    file = folder / "disks"
    for disk in file.read_text().split() if file.exists() else []:
        subprocess.run(["umount", "--lazy", disk], capture_output=True, check=False)
        shutil.rmtree(disk, ignore_errors=True)
    shutil.rmtree(folder, ignore_errors=True)


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    """Ends the run once. A second signal must not cut the cleaning short."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
