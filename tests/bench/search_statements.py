"""Writes down the statements of searches: `python -m tests.bench.search_statements FOLDER`.

It runs with the variables of a running portal and searches as the API does.
"""

import json
import os
import random
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from embedded.environment import ROOT
from tests.end_to_end.system import System

SEARCHES = 20  # Of each kind.


def capture_searches(system: System, folder: Path, kinds: list[str]) -> dict[str, list[Path]]:
    """Returns a file of statements for each of SEARCHES texts of a kind."""
    folder.mkdir(exist_ok=True)
    subprocess.run(
        [sys.executable, "-m", "tests.bench.search_statements", folder, json.dumps(kinds)],
        cwd=ROOT,
        env={**os.environ, **system.environment, "DJANGO_SETTINGS_MODULE": "portal.settings"},
        check=True,
    )
    return {kind: sorted(folder.glob(f"{at:02}-*.sql")) for at, kind in enumerate(kinds)}


def write_scripts(folder: Path, kinds: list[str]) -> None:
    import django

    django.setup()
    from django.db import connection

    from portal.patients.search import tuning
    from tests.bench.sample import draw_patients
    from tests.bench.search import KINDS

    tuning.SEARCH = replace(tuning.SEARCH, max_prepared=0)  # Prepared ones pass the wrapper by.
    patients = draw_patients(os.environ["DATABASE_URL"])
    dice = random.Random(3)
    for at, kind in enumerate(kinds):
        for number in range(SEARCHES):
            statements: list[str] = []
            with connection.execute_wrapper(collector(statements)):
                search(KINDS[kind](dice.choice(patients)))
            script = "".join(f"{statement};\n" for statement in statements)
            (folder / f"{at:02}-{number:02}.sql").write_text(script)


def search(text: str) -> None:
    """Does what the route does, from the search to the JSON."""
    from portal.patients.selectors import find_patients
    from portal.patients.serializers.patient import found_patients_json

    found_patients_json(find_patients(None, channel="api", text=text).hits)


def collector(statements: list[str]) -> Callable[..., Any]:
    """Returns a wrapper that keeps each statement with its values."""

    def keep(execute: Any, sql: str, params: Any, many: bool, context: dict) -> Any:
        text = context["cursor"].cursor.mogrify(sql, params)
        statements.append(text.decode() if isinstance(text, bytes) else text)
        return execute(sql, params, many, context)

    return keep


if __name__ == "__main__":
    write_scripts(Path(sys.argv[1]), json.loads(sys.argv[2]))
