"""Skips tests whose programs are missing on this machine, and lists what was skipped and why."""

import os
import shutil
from collections import Counter

import pytest

# A process that starts another as an account of its own forks. gRPC's handlers of forks, run while
# its threads work, then ended initdb now and then. No test forks to go on with gRPC.
os.environ.setdefault("GRPC_ENABLE_FORK_SUPPORT", "0")

NEEDS = {
    "kafka": ("java", "mvn"),
    "browser": ("chromium",),
}


def pytest_configure(config):
    unknown = required() - set(NEEDS)
    if unknown:
        raise pytest.UsageError(
            f"REQUIRE knows {', '.join(NEEDS)}, not {', '.join(sorted(unknown))}."
        )


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item):
    """Skips a test whose need is missing, or fails it when REQUIRE names the need."""
    for need, programs in NEEDS.items():
        missing = [program for program in programs if shutil.which(program) is None]
        if missing and item.get_closest_marker(need):
            reason = f"needs {' and '.join(missing)}, not found on this machine"
            if need in required():
                pytest.fail(f"REQUIRE={need}: {reason}", pytrace=False)
            pytest.skip(reason)


def pytest_terminal_summary(terminalreporter):
    """Lists, just before the count, what was left out and why."""
    left_out = Counter(
        report.longrepr[2].removeprefix("Skipped: ") for report in skipped(terminalreporter)
    )
    if left_out:
        terminalreporter.section("left out")
    for reason, count in sorted(left_out.items()):
        terminalreporter.write_line(f"{count} {'test' if count == 1 else 'tests'}: {reason}")


def skipped(terminalreporter):
    return [
        report
        for report in terminalreporter.stats.get("skipped", [])
        if isinstance(report.longrepr, tuple)
    ]


def required() -> set[str]:
    """Returns the needs that must be met, from REQUIRE=kafka,browser."""
    return {need.strip() for need in os.environ.get("REQUIRE", "").split(",") if need.strip()}
