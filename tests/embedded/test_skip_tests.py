"""A run of tests lists what it skips on a machine without some programs."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

CONFTEST = Path(__file__).parents[1] / "conftest.py"


@pytest.fixture
def run(tmp_path):
    """Runs a test that needs Kafka, on a machine that has only Python."""
    (tmp_path / "conftest.py").write_text(CONFTEST.read_text())
    (tmp_path / "pytest.ini").write_text("[pytest]\nmarkers =\n    kafka: needs one\n")
    (tmp_path / "test_it.py").write_text(
        "import pytest\n\n\n@pytest.mark.kafka\ndef test_it():\n    pass\n"
    )

    def run(require):
        command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-q", str(tmp_path)]
        environment = {
            **os.environ,
            "PATH": str(tmp_path),
            "REQUIRE": require,
            "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
        }
        return subprocess.run(
            command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
        )

    return run


def test_a_skipped_test_is_listed_with_the_reason(run):
    done = run("")
    assert done.returncode == 0
    assert "1 test: needs java and mvn, not found on this machine" in done.stdout
    assert "1 skipped" in done.stdout.splitlines()[-1]


def test_a_required_test_is_not_skipped(run):
    done = run("browser,kafka")
    assert done.returncode == 1
    assert "REQUIRE=kafka: needs java and mvn" in done.stdout


def test_an_unknown_need_is_refused(run):
    assert "REQUIRE knows kafka, browser, not docker" in run("docker").stderr
