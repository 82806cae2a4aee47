"""CSV in other encodings than UTF-8: its mark decides, or a person who sees the names; a row that is wrong says so."""

import codecs

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError

from portal.imports import services
from portal.imports.models import ImportJob
from portal.imports.readers import Unreadable, open_patients
from portal.imports.readers import lines as reading
from portal.patients.models import Patient
from tests.portal.imports.files import counts

MULLER = "family_name,given_name,city\nMüller,Zoë,Köln\nŠimková,Jiří,Brno\n"
WESTERN = "family_name,given_name,city\nMüller,Zoë,Köln\nEuro,€,Bonn\n"


def names(path, encoding: str = "") -> list[str]:
    return [
        row.details.get("family_name", "") for row in open_patients(path, encoding=encoding).rows()
    ]


@pytest.mark.parametrize("mark", ["utf-16-le", "utf-16-be", "utf-8"])
def test_a_byte_order_mark_decides_whatever_was_chosen(file, mark):
    marks = {
        "utf-16-le": codecs.BOM_UTF16_LE,
        "utf-16-be": codecs.BOM_UTF16_BE,
        "utf-8": codecs.BOM_UTF8,
    }
    path = file(marks[mark] + MULLER.encode(mark))
    assert names(path) == names(path, "windows-1252") == ["Müller", "Šimková"]
    assert list(open_patients(path).rows())[-1].end == path.stat().st_size


def test_utf_16_is_parted_at_line_ends_and_not_at_bytes_that_look_like_them(file, monkeypatch):
    monkeypatch.setattr(reading, "CHUNK", 6)
    content = (
        codecs.BOM_UTF16_LE
        + "family_name,given_name\r\n\u0a0a\u0a0d,\u0d0a\r\nLast,One".encode("utf-16-le")
    )
    assert names(file(content)) == ["\u0a0a\u0a0d", "Last"]


def test_a_line_of_utf_16_without_an_end_is_not_held_in_memory(file, monkeypatch):
    monkeypatch.setattr(reading, "MAX_LINE_BYTES", 400)
    monkeypatch.setattr(reading, "CHUNK", 100)
    path = file(
        codecs.BOM_UTF16_BE + f"family_name,city\nA,{'x' * 1000}\nB,y\n".encode("utf-16-be")
    )
    first, last = open_patients(path).rows()
    assert "longer than" in str(first.problems[0])
    assert (last.details["family_name"], last.end) == ("B", path.stat().st_size)


@pytest.mark.parametrize(
    "encoding", ["windows-1252", "iso-8859-15", "latin1", "macintosh", "cp850"]
)
def test_a_file_is_read_as_a_person_says(file, encoding):
    text = WESTERN.replace("€", "x") if encoding in ("latin1", "cp850") else WESTERN
    assert names(file(text.encode(encoding)), encoding) == ["Müller", "Euro"]


@pytest.mark.parametrize("encoding", ["windows-1250", "iso-8859-2", "utf-16-le"])
def test_so_is_one_of_central_europe_and_one_without_its_mark(file, encoding):
    assert names(file(MULLER.encode(encoding)), encoding) == ["Müller", "Šimková"]


def test_nobody_said_so_it_is_refused_with_what_to_say(file):
    for encoding in ("windows-1252", "utf-16-le"):
        with pytest.raises(Unreadable, match=f"--encoding {encoding}"):
            open_patients(file(WESTERN.encode(encoding)))


def test_an_unknown_encoding_names_the_known_ones(file):
    with pytest.raises(Unreadable, match="windows-1252"):
        open_patients(file(WESTERN), encoding="rot13")


def test_a_row_in_another_encoding_than_the_file_is_refused(file):
    first, *behind = WESTERN.splitlines(keepends=True)
    mixed = first.encode() + behind[0].encode() + behind[1].encode("cp1252")
    good, bad = (
        open_patients(file(mixed), encoding="windows-1252").rows(),
        open_patients(file(mixed)).rows(),
    )
    assert [[one.reason for one in row.problems] for row in good] == [
        ["The row is UTF-8, the file is read as Windows-1252. Save the whole file in one encoding."], []
    ]  # fmt: skip
    assert [[one.reason for one in row.problems] for row in bad] == [
        [], ["The row is not UTF-8 text. Save the whole file in one encoding."]
    ]  # fmt: skip


def test_bytes_that_are_no_letters_of_the_encoding_are_refused(file):
    path = file(WESTERN.encode("cp1252"))
    _, euro = open_patients(
        path, encoding="iso-8859-15"
    ).rows()  # 0x80 is a control character there.
    assert "Is the file in another encoding?" in str(euro.problems[0])
    [row] = open_patients(file(b"family_name,city\nA\x81,B\n"), encoding="windows-1252").rows()
    assert "not Windows-1252 text" in str(row.problems[0])


@pytest.mark.django_db
def test_the_command_reads_it_as_told(import_text):
    with pytest.raises(CommandError, match="--encoding windows-1252"):
        import_text(WESTERN.encode("cp1252"))
    assert counts(import_text(WESTERN.encode("cp1252"), "--encoding", "windows-1252")[1]) == {
        "new": 2
    }
    assert Patient.objects.filter(family_name="Müller", given_name="Zoë").exists()


@pytest.fixture
def operator(client, make_user, settings, tmp_path):
    settings.DATA_DIR = tmp_path
    client.force_login(make_user("operator"))


def uploaded(client, content: bytes) -> str:
    answer = client.post("/imports/upload/", {"file": SimpleUploadedFile("people.csv", content)})
    return answer["Location"]


@pytest.mark.django_db
def test_the_wizard_says_what_it_assumed_shows_the_names_and_reads_anew_as_it_is_told(
    client, operator
):
    place = uploaded(client, MULLER.encode("cp1250"))
    page = client.get(place).content.decode()
    assert "This file is not UTF-8; it is read as Windows-1252" in page
    assert "Müller" in page
    assert "Jiøí" in page  # What a person sees is wrong.
    job = ImportJob.objects.get()
    assert (
        client.post(f"/imports/{job.pk}/encoding/", {"encoding": "windows-1250"})["Location"]
        == place
    )
    assert "Jiří" in client.get(place).content.decode()
    client.post(place, {"c0": "family_name", "c1": "given_name", "c2": "city"})
    services.run_job(job.pk)
    services.run_job(services.apply_dry_run(job.pk, by=None).pk)
    assert set(Patient.objects.values_list("given_name", flat=True)) == {"Zoë", "Jiří"}


@pytest.mark.django_db
def test_an_encoding_in_which_the_file_is_no_table_is_refused_and_nothing_changes(client, operator):
    place = uploaded(client, WESTERN.encode("cp1252"))
    job = ImportJob.objects.get()
    answer = client.post(f"/imports/{job.pk}/encoding/", {"encoding": "utf-16-le"})
    assert answer.status_code == 422
    assert "Müller" in client.get(place).content.decode()


@pytest.mark.django_db
def test_a_mark_is_not_asked_about(client, operator):
    page = client.get(uploaded(client, MULLER.encode("utf-16"))).content.decode()
    assert "Šimková" in page
    assert "Read it again" not in page
