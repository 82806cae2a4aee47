"""The account PostgreSQL runs under: our own, or `pgserver` when we are root, because it refuses to run as root."""

import os
import pwd
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

NAME = "pgserver"


def account_for_postgres() -> pwd.struct_passwd | None:
    """None: run it as we are. As root: the account `pgserver`, made when it is missing."""
    if os.geteuid() != 0:
        return None
    try:
        return pwd.getpwnam(NAME)
    except KeyError:
        made = subprocess.run(
            ["useradd", "--system", "--no-create-home", "--shell", "/usr/sbin/nologin", NAME],
            capture_output=True,
            text=True,
            check=False,
        )
    try:
        return pwd.getpwnam(NAME)  # Also when another run made it a moment before us.
    except KeyError:
        message = f"PostgreSQL will not run as root, and the account {NAME} could not be made: {made.stderr.strip()}"
        raise RuntimeError(message) from None


def as_account() -> dict[str, Any]:
    """What `subprocess` needs to start a program under that account."""
    account = account_for_postgres()
    return {} if account is None else {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}


def let_in(account: pwd.struct_passwd, folder: Path) -> None:
    """Make `folder` the account's own, and every folder above it passable (not readable) for it."""
    os.chown(folder, account.pw_uid, account.pw_gid)
    open_the_way(folder)


def open_the_way(path: Path) -> None:
    """Give others the right to pass, not to list, each closed folder above `path`."""
    for folder in path.resolve().parents:
        mode = stat.S_IMODE(folder.stat().st_mode)
        if not mode & stat.S_IXOTH:
            folder.chmod(mode | stat.S_IXOTH)
            print(f"opened {folder} for passing through (mode {mode | stat.S_IXOTH:o})", file=sys.stderr)
