"""Runs PostgreSQL as the account `pgserver` when we are root, because it refuses to run as root."""

import os
import pwd
import shutil
import stat
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

NAME = "pgserver"
PASS = stat.S_IXOTH  # Others may pass through a folder, or run a program.
READ = stat.S_IROTH  # Others may read a file.


def account_options() -> dict[str, Any]:
    """Returns the arguments of `subprocess` to start a program under that account.

    They are empty when we are not root.
    """
    account = _account()
    if account is None:
        return {}
    return {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}


def give_ownership(path: Path) -> None:
    """Makes the account the owner of a file or folder, and lets it get there."""
    account = _account()
    if account is not None:
        os.chown(path, account.pw_uid, account.pw_gid)
        allow_passage(path)


def allow_passage(path: Path) -> None:
    """Lets others pass through, not list, each closed folder above `path`, and prints which.

    The folders belong to the user, who should know of the change.
    """
    if _account() is None:
        return
    closed = [folder for folder in path.resolve().parents if not folder.stat().st_mode & PASS]
    for folder in closed:
        folder.chmod(stat.S_IMODE(folder.stat().st_mode) | PASS)
    if closed:
        print(
            f"PostgreSQL runs as {NAME}; it may now pass through {', '.join(map(str, closed))}.",
            file=sys.stderr,
        )


def make_readable(folder: Path) -> None:
    """Lets the account read the programs in `folder`, in case they were installed for us alone."""
    if _account() is None:
        return
    allow_passage(folder)
    for path in (folder, *folder.rglob("*")):
        mode = path.lstat().st_mode
        wanted = mode | READ | (PASS if mode & stat.S_IXUSR else 0)
        if wanted != mode and not stat.S_ISLNK(mode):
            path.chmod(stat.S_IMODE(wanted))


@cache
def _account() -> pwd.struct_passwd | None:
    if os.geteuid() != 0:
        return None
    try:
        return pwd.getpwnam(NAME)
    except KeyError:
        _add_account()
        return pwd.getpwnam(NAME)


def _add_account() -> None:
    useradd = shutil.which("useradd") or "/usr/sbin/useradd"
    command = [useradd, "--system", "--no-create-home", "--shell", "/usr/sbin/nologin", NAME]
    added = subprocess.run(command, capture_output=True, text=True, check=False)
    if added.returncode not in (0, 9):  # 9: another run added it a moment before us.
        reason = added.stderr.strip()
        raise RuntimeError(
            f"PostgreSQL will not run as root, and {NAME} could not be added: {reason}"
        )
