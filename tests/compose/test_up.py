"""`sh docker/up.sh` makes the secrets, starts everything, and prints how to sign in."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from embedded.banner import ROLES
from tests.compose.files import ROOT

# Writes down its arguments and its input, as Docker of the version in $ENGINE.
DOCKER = """#!/bin/sh
echo "docker $*" >>"$CALLS"
case "$1" in
    version) echo "$ENGINE" ;;
    compose) test "$2" != exec || cat >>"$CALLS" ;;
esac
"""


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    (tmp_path / "docker").mkdir()
    (tmp_path / "bin").mkdir()
    for script in ("up.sh", "secrets.sh"):
        shutil.copy(ROOT / "docker" / script, tmp_path / "docker")
    shutil.copy(ROOT / "compose.yaml", tmp_path)
    (tmp_path / "bin" / "docker").write_text(DOCKER)
    (tmp_path / "bin" / "docker").chmod(0o755)
    return tmp_path


def start(tree: Path, *options: str, engine: str = "28.2.2") -> subprocess.CompletedProcess[str]:
    path = f"{tree / 'bin'}:{os.environ['PATH']}"
    return subprocess.run(
        ["sh", "docker/up.sh", *options],
        cwd=tree,
        env={"PATH": path, "CALLS": str(tree / "calls"), "ENGINE": engine},
        capture_output=True,
        text=True,
        check=False,
    )


def calls(tree: Path) -> str:
    return (tree / "calls").read_text()


def password_of(tree: Path) -> str:
    lines = (tree / ".env").read_text().splitlines()
    [password] = [line.removeprefix("DEMO_PASSWORD=") for line in lines if "DEMO_" in line]
    return password


def test_the_first_start_makes_the_demo_and_prints_how_to_sign_in(tree):
    done = start(tree)
    assert done.returncode == 0, done.stderr
    assert "SECRET_KEY=" in (tree / ".env").read_text()
    assert "docker compose up --build --wait" in calls(tree)
    assert "manage.py seed_demo --if-empty" in calls(tree)
    assert "http://localhost:4000\n" in done.stdout
    assert all(f"{role}@demo.example" in done.stdout for role in ROLES)
    assert f"Password         {password_of(tree)}\n" in done.stdout
    assert len(password_of(tree)) == 18


def test_the_password_is_no_word_of_a_command(tree):
    start(tree)
    [line] = [line for line in calls(tree).splitlines() if password_of(tree) in line]
    assert line == password_of(tree)


def test_a_later_start_keeps_the_secrets_and_the_password(tree):
    start(tree)
    before = (tree / ".env").read_text()
    done = start(tree)
    assert (tree / ".env").read_text() == before
    assert password_of(tree) in done.stdout


def test_an_empty_portal_gets_no_demo_now_nor_later(tree):
    for options in (["--empty"], []):
        done = start(tree, *options)
        assert "manage.py createsuperuser" in done.stdout
        assert "demo.example" not in done.stdout
    assert "seed_demo" not in calls(tree)


def test_the_address_has_the_port_of_the_variable(tree):
    (tree / ".env").write_text("PORTAL_PORT=4100\n")
    assert "http://localhost:4100\n" in start(tree).stdout


def test_an_engine_that_is_too_old_is_named_before_anything_starts(tree):
    done = start(tree, engine="24.0.9")
    assert done.returncode == 1
    assert done.stderr == (
        "This is Docker Engine 24.0.9; compose.yaml needs 25 or newer (start_interval).\n"
    )
    assert "compose" not in calls(tree)


def test_an_unknown_option_is_refused(tree):
    assert start(tree, "--clinic").returncode == 2
