"""PostgreSQL refuses to run as root; when we are root it runs under an account of its own, `pgserver`."""

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
PASS = stat.S_IXOTH
READ = stat.S_IROTH


def switch() -> dict[str, Any]:
    """What `subprocess` needs to start a program under that account; nothing when we are not root."""
    account = _account()
    return (
        {}
        if account is None
        else {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}
    )


def give(path: Path) -> None:
    """Make a file or folder the account's own, and let it get there."""
    account = _account()
    if account is not None:
        os.chown(path, account.pw_uid, account.pw_gid)
        open_the_way(path)


def open_the_way(path: Path) -> None:
    """Let others pass through, not list, each closed folder above `path`; said aloud, because it is your folder."""
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


def let_read(folder: Path) -> None:
    """Let the account read the programs in `folder`, should they have been installed for us alone."""
    if _account() is None:
        return
    open_the_way(folder)
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
    if added.returncode not in (0, 9):  # 9: another run made it a moment before us.
        raise RuntimeError(
            f"PostgreSQL will not run as root, and {NAME} could not be added: {added.stderr.strip()}"
        )
