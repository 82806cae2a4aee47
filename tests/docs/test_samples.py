"""The two sample files do what the README says of them."""

import json
from contextlib import suppress
from pathlib import Path

import pytest
from django.core.management import call_command

from tests.compose.files import ROOT

SAMPLES = ROOT / "docs" / "samples"


def bring_in(name: str, folder: Path) -> dict:
    report = folder / f"{name}.json"
    with suppress(SystemExit):  # That is how the command says that rows were refused.
        call_command("import_patients", SAMPLES / name, "--report", report)
    return json.loads(report.read_text())


@pytest.mark.django_db(transaction=True)
def test_one_row_is_wrong_on_purpose_and_mended_in_the_second_file(tmp_path):
    first, second = (bring_in(f"new-patients.{kind}", tmp_path) for kind in ("csv", "ndjson"))
    assert [(first["new"], first["rejected"]), (second["new"], second["unchanged"])] == [
        (4, 1),
        (1, 4),
    ]
    assert "value" not in first["firstProblems"][0], "the value stays in the file of rejects"
    assert "1990-02-31" in (tmp_path / "new-patients.csv.rejects.csv").read_text()
