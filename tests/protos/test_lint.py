"""buf finds nothing wrong in our contracts."""

import subprocess
import sys
from pathlib import Path

import protos

CONTRACTS = Path(protos.__file__).parent
BUF = Path(sys.executable).with_name("buf")


def test_buf_lint_is_clean():
    found = subprocess.run(
        [BUF, "lint"], cwd=CONTRACTS, capture_output=True, text=True, check=False
    )
    assert (found.returncode, found.stdout, found.stderr) == (0, "", "")
