"""The command of imports: dry run, report, exit codes, and what it leaves on the disk."""

import io
import json

import pytest
from django.core.management import CommandError, call_command

from portal.imports.models import ImportedRow, ImportJob
from portal.patients.models import Patient, PatientEvent
from tests.portal.imports.files import ANNA, BEN, as_csv, counts, import_file

pytestmark = pytest.mark.django_db


def test_a_dry_run_writes_nothing_and_says_what_would_happen(import_text, tmp_path):
    import_text(as_csv(BEN))
    content = as_csv(
        ANNA,
        BEN,
        BEN | {"city": "Salem"},
        BEN | {"city": "Salem"},
        BEN | {"city": "Boston"},
        ANNA,
        ANNA | {"sex": "Q"},
    )
    before = (PatientEvent.objects.count(), ImportJob.objects.count(), ImportedRow.objects.count())
    code, dry_run = import_text(content, "--dry-run")
    assert before == (
        PatientEvent.objects.count(),
        ImportJob.objects.count(),
        ImportedRow.objects.count(),
    )
    assert not (tmp_path / "people.csv.rejects.csv").exists()
    _, real = import_text(content)
    assert code == 1
    assert counts(dry_run) == counts(real)
    assert dry_run["firstProblems"] == real["firstProblems"]


def test_a_dry_run_cannot_write_even_if_it_tried(import_text, monkeypatch):
    """Planted bug: the dry run writes a patient; the database refuses."""
    monkeypatch.setattr(
        "portal.imports.pipeline.dry_run.DryRun.write",
        lambda self, decisions: Patient.objects.create(family_name="Written"),
    )
    with pytest.raises(Exception, match="read-only transaction"):
        import_text(as_csv(ANNA), "--dry-run")


def test_report_and_rejects_go_where_they_are_asked_to(import_text, tmp_path):
    report_path, rejects_path = tmp_path / "out" / "r.json", tmp_path / "out" / "bad.csv"
    report_path.parent.mkdir()
    _, report = import_text(
        "family_name,city\nBeispiel\n", "--report", str(report_path), "--rejects", str(rejects_path)
    )
    assert json.loads(report_path.read_text(encoding="utf-8")) == report
    assert report_path.stat().st_mode & 0o777 == 0o600
    assert report["rejectsFile"] == str(rejects_path)
    assert rejects_path.exists()
    import_text("family_name,city\nBeispiel\n", "--report", str(report_path))
    assert (tmp_path / "out" / "people.csv.rejects.csv").exists()


def test_the_report_says_how_to_undo_the_import(file):
    out = io.StringIO()
    call_command("import_patients", str(file(as_csv(ANNA))), stdout=out, stderr=io.StringIO())
    assert f"import_patients --undo {ImportJob.objects.get().pk}" in out.getvalue()
    out = io.StringIO()
    call_command(
        "import_patients", f"--undo={ImportJob.objects.get().pk}", stdout=out, stderr=io.StringIO()
    )
    assert "people.csv – undone" in out.getvalue()


def test_a_report_into_a_missing_folder_stops_before_the_import(import_text, tmp_path):
    with pytest.raises(CommandError, match="no folder"):
        import_text(as_csv(ANNA), "--report", str(tmp_path / "nowhere" / "r.json"))
    assert not Patient.objects.exists()


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"no header\n"])
def test_an_unreadable_file_ends_with_code_2_and_leaves_no_job(import_text, content, settings):
    with pytest.raises(CommandError) as refused:
        import_text(content)
    assert refused.value.returncode == 2
    assert not ImportJob.objects.exists()
    assert not list((settings.DATA_DIR / "imports").glob("*"))


def test_a_missing_file_ends_with_code_2(tmp_path, file):
    with pytest.raises(CommandError) as refused:
        import_file(tmp_path / "nowhere.csv")
    assert refused.value.returncode == 2


def test_the_copy_of_the_file_is_gone_after_the_import(import_text, settings):
    import_text(as_csv(ANNA))
    assert ImportJob.objects.get().status == "done"
    assert not list((settings.DATA_DIR / "imports").glob("*"))
