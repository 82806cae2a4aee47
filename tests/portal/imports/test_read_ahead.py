"""A large file is read and checked by a process of its own, ahead of the one that writes.

Planted bug that makes these red: the process begins behind another row than the writer ends at.
"""

import os
import signal
from contextlib import closing

import pytest
from django.core.management import CommandError

from portal.imports.models import ImportJob
from portal.imports.pipeline import read_ahead, runner
from portal.imports.pipeline.read_ahead import ReaderProcess, ReaderStopped, read_rows
from portal.imports.readers import open_patients
from tests.portal.imports.files import as_csv, as_ndjson, import_file
from tests.real_files.workbooks import workbook

ROWS = 1200  # More than two batches behind those that the writer reads itself.
PEOPLE = [
    {
        "family_name": f"Row{n}",
        "date_of_birth": "31/12/1984" if n == ROWS - 1 else "3/4/1984",
        "sex": "quite" if n % 50 == 7 else "f",
        "phone": f"617 555 {n:04}",
        "ssn": f"S{n}",
    }
    for n in range(ROWS)
]
RESOURCES = [
    {"name": [{"family": f"Row{n}"}], "gender": "q" if n % 50 == 7 else "female", "contact": [{}]}
    for n in range(ROWS)
]
FILES = {
    "people.csv": as_csv(*PEOPLE).replace("Row30,", '"Row30,').encode(),
    "people.xlsx": workbook(*(list(person.values()) for person in PEOPLE), header=list(PEOPLE[0])),
    "people.ndjson": as_ndjson(*RESOURCES).encode(),
}


@pytest.fixture(autouse=True)
def every_file_is_large(monkeypatch):
    monkeypatch.setattr(read_ahead, "MIN_BYTES", 0)
    monkeypatch.setattr(read_ahead, "ROWS_MEANWHILE", 20)
    monkeypatch.setattr(os, "cpu_count", lambda: 2)


@pytest.fixture
def processes(monkeypatch) -> list[int]:
    """The ids of the processes that were started to read."""
    started, init = [], ReaderProcess.__init__

    def remember(self: ReaderProcess) -> None:
        init(self)
        started.append(self._process.pid)

    monkeypatch.setattr(ReaderProcess, "__init__", remember)
    return started


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("after", [0, 1, 700])
def test_a_large_file_has_the_rows_that_it_has_for_one_process(
    file, name, after, processes, monkeypatch
):
    opened = open_patients(file(FILES[name], name))
    ahead = list(read_rows(opened, after))
    monkeypatch.setattr(read_ahead, "MIN_BYTES", 10**9)
    alone = list(read_rows(open_patients(opened.path), after))
    assert len(processes) == 1
    assert ahead == alone
    assert len(alone) >= ROWS - after - 1
    assert any(row.problems or row.row.parts_left_out for row in alone)


def test_a_small_file_starts_no_process(file, processes, monkeypatch):
    monkeypatch.setattr(read_ahead, "MIN_BYTES", 10**9)
    assert len(list(read_rows(open_patients(file(FILES["people.csv"]))))) == ROWS
    assert processes == []


def test_a_machine_with_one_core_starts_no_process(file, processes, monkeypatch):
    monkeypatch.setattr(os, "cpu_count", lambda: 1)
    assert len(list(read_rows(open_patients(file(FILES["people.csv"]))))) == ROWS
    assert processes == []


def test_the_process_ends_with_an_import_that_stops_early(file, processes):
    with closing(read_rows(open_patients(file(FILES["people.csv"])))) as rows:
        next(rows)
    with pytest.raises(ProcessLookupError):
        os.kill(processes[0], 0)


def test_a_fault_of_the_reader_is_raised_where_the_rows_are_wanted(file, monkeypatch):
    opened, begin = open_patients(file(FILES["people.csv"])), ReaderProcess.begin

    def begin_without_file(*arguments) -> None:
        opened.path.unlink()
        begin(*arguments)

    monkeypatch.setattr(ReaderProcess, "begin", begin_without_file)
    with pytest.raises(FileNotFoundError):
        list(read_rows(opened))


def test_a_killed_process_stops_the_rows(file, processes):
    with closing(read_rows(open_patients(file(FILES["people.csv"])))) as rows:
        next(rows)
        os.kill(processes[0], signal.SIGKILL)
        with pytest.raises(ReaderStopped):
            list(rows)


@pytest.mark.django_db(transaction=True)
def test_an_import_whose_reader_is_killed_goes_on_from_its_last_batch(file, processes, monkeypatch):
    path, receive = file(FILES["people.csv"]), ReaderProcess.receive

    def killed(self: ReaderProcess) -> list:
        os.kill(processes[0], signal.SIGKILL)
        self._process.wait()
        return receive(self)

    monkeypatch.setattr(runner, "BATCH", 10)
    monkeypatch.setattr(ReaderProcess, "receive", killed)
    with pytest.raises(CommandError, match="run the same command again") as stopped:
        import_file(path)
    assert stopped.value.returncode == 3
    assert ImportJob.objects.get().last_row == 11
    ImportJob.objects.update(leased_until=None)
    monkeypatch.setattr(ReaderProcess, "receive", receive)
    monkeypatch.setattr(runner, "BATCH", 500)
    code, report = import_file(path)
    assert (code, report["new"], report["rejected"]) == (1, ROWS - 25, 25)
    assert len(processes) == 2
