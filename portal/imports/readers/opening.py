"""Recognises a file by what is in it, never by its name, and says what to do with one that cannot be read."""

import json
import re
from collections.abc import Sequence
from pathlib import Path

from portal.imports.readers.csv_file import CsvFile
from portal.imports.readers.fhir_files import BundleFile, NdjsonFile
from portal.imports.readers.rows import PatientFile, Unreadable
from portal.imports.readers.tables import TableFile
from portal.imports.readers.workbooks import words_for_old
from portal.imports.readers.xlsx_file import XlsxFile

SAMPLE = 1024 * 1024
SAVE_AS = "Save it as “CSV UTF-8 (comma delimited)” and try again."

_MARKS = {
    b"\x1f\x8b": "This file is compressed (gzip). Unpack it first.",
    b"%PDF": "This is a PDF. Ask for the data as CSV, Excel workbook or FHIR NDJSON.",
    b"\xff\xd8\xff": "This is a picture (JPEG). Ask for the data as CSV, Excel workbook or FHIR NDJSON.",
    b"\x89PNG": "This is a picture (PNG). Ask for the data as CSV, Excel workbook or FHIR NDJSON.",
    b"\xff\xfe": f"This file is UTF-16 text. {SAVE_AS}",
    b"\xfe\xff": f"This file is UTF-16 text. {SAVE_AS}",
}
_TWO_BYTES = re.compile(rb"[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}")


def open_patients(path: Path, chosen: Sequence[str] = ()) -> PatientFile:
    """The file's reader; Unreadable for anything that is not patients as CSV, XLSX, FHIR NDJSON or a FHIR Bundle.

    `chosen` says what each column of a table becomes; without it the names of the columns do.
    """
    file = recognise(path, chosen)
    if isinstance(file, TableFile):
        file.columns  # noqa: B018 - Unreadable, if patients cannot be made out of them.
    return file


def recognise(path: Path, chosen: Sequence[str] = ()) -> PatientFile:
    """The same for a file whose columns nobody has understood yet: of a table only the header has been read."""
    with path.open("rb") as file:
        sample = file.read(SAMPLE)
    if sample.startswith(b"PK\x03\x04"):
        return XlsxFile(path, chosen)
    if sample.startswith(b"\xd0\xcf\x11\xe0"):
        raise Unreadable(words_for_old(path))
    text = _text_of(sample)
    if not text.lstrip().startswith(("{", "[")):
        return CsvFile(path, chosen)
    return _json_file(path, text.lstrip())


def _text_of(sample: bytes) -> str:
    for mark, advice in _MARKS.items():
        if sample.startswith(mark):
            raise Unreadable(advice)
    if not sample.strip():
        raise Unreadable("The file is empty.")
    _refuse_binary(sample)
    _refuse_other_encodings(sample)
    return sample.removeprefix(b"\xef\xbb\xbf").decode("utf-8", "replace")


def _refuse_binary(sample: bytes) -> None:
    odd = sum(sample.count(byte) for byte in range(1, 32) if byte not in b"\t\n\r\f")
    nuls = sample.count(0)
    if odd <= max(8, len(sample) / 50) and nuls * 4 > len(sample):
        raise Unreadable(f"This file is UTF-16 text. {SAVE_AS}")
    if odd + nuls > max(8, len(sample) / 50) or 0 in sample.split(b"\n", 1)[0]:
        raise Unreadable("This is not a text file. Bring patients as CSV or as FHIR NDJSON.")


def _refuse_other_encodings(sample: bytes) -> None:
    """Latin-1 has bytes beyond ASCII that seldom pair up as UTF-8; a few bad bytes in UTF-8 cost only their rows."""
    whole = sample[: sample.rfind(b"\n") + 1] or sample
    beyond = len(whole.translate(None, bytes(range(128))))
    in_utf8 = sum(len(match.group()) for match in _TWO_BYTES.finditer(whole))
    if beyond - in_utf8 > in_utf8:
        raise Unreadable(f"This file is not UTF-8 text (it may be Windows-1252 or Latin-1). {SAVE_AS}")
    if b"\r" in sample and b"\n" not in sample:
        raise Unreadable(f"This file has the line ends of old Macs. {SAVE_AS}")


def _json_file(path: Path, text: str) -> PatientFile:
    first, *others = [line.strip() for line in text.split("\n", 20) if line.strip()]
    if first.startswith("["):
        raise Unreadable("This is a JSON array. Bring patients as FHIR NDJSON or as a FHIR Bundle.")
    try:
        kind = json.loads(first).get("resourceType")
    except ValueError:  # One document over many lines, or NDJSON with a broken first row, which costs only that row.
        return NdjsonFile(path) if not others or others[0].startswith("{") else BundleFile(path)
    if kind is None:
        raise Unreadable("This is JSON, but not FHIR: the objects have no resourceType.")
    return BundleFile(path) if kind == "Bundle" else NdjsonFile(path)
