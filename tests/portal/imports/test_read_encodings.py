"""CSV in other encodings than UTF-8: its mark decides, or a person who sees the names."""

import codecs

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError

from portal.imports import services
from portal.imports.models import ImportJob
from portal.imports.readers import Unreadable, lines, open_patients
from portal.patients.models import Patient
from tests.portal.imports.files import counts

MULLER = "family_name,given_name,city\nMüller,Zoë,Köln\nŠimková,Jiří,Brno\n"
WESTERN = "family_name,given_name,city\nMüller,Zoë,Köln\nEuro,Zoë,€\n"


def names(path, encoding: str = "") -> list[str]:
    rows = open_patients(path, encoding=encoding).rows()
    return [row.details.get("family_name", "") for row in rows]


def reasons(path, encoding: str = "") -> list[list[str]]:
    rows = open_patients(path, encoding=encoding).rows()
    return [[problem.reason for problem in row.problems] for row in rows]


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


def test_utf_16_is_not_split_at_bytes_that_look_like_line_ends(file, monkeypatch):
    monkeypatch.setattr(lines, "CHUNK", 6)
    content = (
        codecs.BOM_UTF16_LE
        + "family_name,given_name\r\n\u0a0a\u0a0d,\u0d0a\r\nLast,One".encode("utf-16-le")
    )
    assert names(file(content)) == ["\u0a0a\u0a0d", "Last"]


def test_a_line_of_utf_16_without_an_end_is_not_held_in_memory(file, monkeypatch):
    monkeypatch.setattr(lines, "MAX_LINE_BYTES", 400)
    monkeypatch.setattr(lines, "CHUNK", 100)
    path = file(
        codecs.BOM_UTF16_BE + f"family_name,city\nA,{'x' * 1000}\nB,y\n".encode("utf-16-be")
    )
    first, last = open_patients(path).rows()
    assert "longer than" in str(first.problems[0])
    assert (last.details["family_name"], last.end) == ("B", path.stat().st_size)


@pytest.mark.parametrize(
    "encoding", ["windows-1252", "iso-8859-15", "latin1", "macintosh", "cp850"]
)
def test_a_file_is_read_in_the_chosen_encoding(file, encoding):
    text = WESTERN.replace("€", "x") if encoding in ("latin1", "cp850") else WESTERN
    assert names(file(text.encode(encoding)), encoding) == ["Müller", "Euro"]


@pytest.mark.parametrize("encoding", ["windows-1250", "iso-8859-2", "utf-16-le"])
def test_central_european_files_and_utf_16_without_a_mark_are_read(file, encoding):
    assert names(file(MULLER.encode(encoding)), encoding) == ["Müller", "Šimková"]


def test_without_a_choice_the_file_is_refused_with_advice(file):
    for encoding in ("windows-1252", "utf-16-le"):
        with pytest.raises(Unreadable, match=f"--encoding {encoding}"):
            open_patients(file(WESTERN.encode(encoding)))


def test_an_unknown_encoding_names_the_known_ones(file):
    with pytest.raises(Unreadable, match="windows-1252"):
        open_patients(file(WESTERN), encoding="rot13")


def test_a_row_in_another_encoding_than_the_file_is_refused(file):
    header, utf_8, western = WESTERN.splitlines(keepends=True)
    path = file(header.encode() + utf_8.encode() + western.encode("cp1252"))
    advice = "Save the whole file in one encoding."
    read_as_western = f"The row is UTF-8, the file is read as Windows-1252. {advice}"
    assert reasons(path, "windows-1252") == [[read_as_western], []]
    assert reasons(path) == [[], [f"The row is not UTF-8 text. {advice}"]]


def test_bytes_that_are_no_letters_of_the_encoding_are_refused(file):
    path = file(WESTERN.encode("cp1252"))
    # 0x80 is a control character there.
    _, euro = open_patients(path, encoding="iso-8859-15").rows()
    assert "Is the file in another encoding?" in str(euro.problems[0])
    [row] = open_patients(file(b"family_name,city\nA\x81,B\n"), encoding="windows-1252").rows()
    assert "not Windows-1252 text" in str(row.problems[0])


@pytest.mark.django_db
def test_the_command_has_an_option_for_it(import_text):
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


def upload(client, content: bytes) -> str:
    response = client.post("/imports/upload/", {"file": SimpleUploadedFile("people.csv", content)})
    return response["Location"]


@pytest.mark.django_db
def test_the_wizard_shows_the_assumed_encoding_and_reads_the_file_again(client, operator):
    url = upload(client, MULLER.encode("cp1250"))
    page = client.get(url).content.decode()
    assert "This file is not UTF-8; it is read as Windows-1252" in page
    assert "Müller" in page
    assert "Jiøí" in page  # The user sees that this is wrong.
    job = ImportJob.objects.get()
    assert (
        client.post(f"/imports/{job.pk}/encoding/", {"encoding": "windows-1250"})["Location"] == url
    )
    assert "Jiří" in client.get(url).content.decode()
    client.post(url, {"c0": "family_name", "c1": "given_name", "c2": "city"})
    services.run_job(job.pk)
    services.run_job(services.apply_dry_run(job.pk, by=None).pk)
    assert set(Patient.objects.values_list("given_name", flat=True)) == {"Zoë", "Jiří"}


@pytest.mark.django_db
def test_an_encoding_in_which_the_file_is_no_table_is_refused(client, operator):
    url = upload(client, WESTERN.encode("cp1252"))
    job = ImportJob.objects.get()
    response = client.post(f"/imports/{job.pk}/encoding/", {"encoding": "utf-16-le"})
    assert response.status_code == 422
    assert "Müller" in client.get(url).content.decode()


@pytest.mark.django_db
def test_a_file_with_a_mark_gets_no_choice_of_encoding(client, operator):
    page = client.get(upload(client, MULLER.encode("utf-16"))).content.decode()
    assert "Šimková" in page
    assert "Read it again" not in page


@pytest.mark.parametrize(
    ("encoding", "people"),
    [
        ("cp932", "佐々木,美咲\n森川,花子\n"),
        ("gb18030", "欧阳,明月\n诸葛,建国\n"),
        ("big5", "王,小明\n陳,大文\n"),
        ("cp949", "김,민수\n박,지영\n"),
        ("windows-1251", "Иванов,Пётр\nПетрова,Анна\n"),
        ("windows-1250", "Müller,Zoë\nŻak,Łukasz\n"),
    ],
)
def test_the_encoding_that_makes_sense_is_proposed_and_no_other_imports(file, encoding, people):
    path = file(b"family_name,given_name\n" + people.encode(encoding))
    with pytest.raises(Unreadable, match=f"--encoding {encoding}"):
        open_patients(path)
    assert names(path, encoding) == [line.split(",")[0] for line in people.splitlines()]


def test_chinese_read_as_western_text_is_held_back(file):
    path = file("family_name,given_name\n诸葛,建国\n".encode("gb18030"))
    assert [len(found) > 0 for found in reasons(path, "windows-1252")] == [True]
