"""Recognises a file by its content, never by its name.

The error of one that cannot be read says what to do.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from portal.imports.readers.csv_file import CsvFile
from portal.imports.readers.encodings import (
    SAVE_AS,
    UTF_8,
    byte_order_mark,
    detect_encoding,
    is_control,
)
from portal.imports.readers.fhir_bundle import MAX_BUNDLE_BYTES
from portal.imports.readers.fhir_files import BundleFile, NdjsonFile
from portal.imports.readers.fhir_json import NestedTooDeeply, load_json
from portal.imports.readers.rows import PatientFile, Unreadable
from portal.imports.readers.tables import PLAIN, TableFile, TableSettings
from portal.imports.readers.workbook_safety import advice_for_ole_file
from portal.imports.readers.xlsx_file import XlsxFile

_ODD = [chr(code) for code in range(1, 32) if is_control(chr(code))]
SAMPLE = 1024 * 1024  # Bytes from the start by which a file is recognised.

_ADVICE = "Ask for the data as CSV, Excel workbook or FHIR NDJSON."
_OTHER_FORMATS = {
    b"\x1f\x8b": "This file is compressed (gzip). Unpack it first.",
    b"%PDF": f"This is a PDF. {_ADVICE}",
    b"\xff\xd8\xff": f"This is a picture (JPEG). {_ADVICE}",
    b"\x89PNG": f"This is a picture (PNG). {_ADVICE}",
}


def open_patients(
    path: Path,
    columns: Sequence[str] = (),
    *,
    encoding: str = "",
    values: Mapping[str, Mapping[str, str]] | None = None,
    date_order: str = "",
) -> PatientFile:
    """Returns the file's reader.

    `columns` says what each column of a table becomes; without it the names of the columns do.
    `encoding` is that of a CSV file without a byte order mark; without it the file must be UTF-8.
    For `values` and `date_order` see TableSettings. Unreadable for anything that is not patients as
    CSV, XLSX, FHIR NDJSON or a FHIR Bundle.
    """
    settings = TableSettings(columns, encoding, values or {}, date_order)
    file = recognise_file(path, settings)
    if isinstance(file, TableFile):
        file.require_columns()
    return file


def recognise_file(
    path: Path, settings: TableSettings = PLAIN, *, assumes_encoding: bool = False
) -> PatientFile:
    """Returns the same for a file whose columns are not set yet: only a table's header is read.

    With `assumes_encoding` a file without a mark that is not UTF-8 gets the likeliest encoding,
    which a user has to check: see the reader's `encoding`.
    """
    with path.open("rb") as file:
        sample = file.read(SAMPLE)
    if sample.startswith(b"PK\x03\x04"):
        return XlsxFile(path, settings)
    if sample.startswith(b"\xd0\xcf\x11\xe0"):
        raise Unreadable(advice_for_ole_file(path))
    _refuse_others(sample)
    name = detect_encoding(sample, settings.encoding, assumes=assumes_encoding)
    text = sample[byte_order_mark(sample)[1] :].decode(name, "replace")
    _refuse_binary(text)
    if not text.lstrip().startswith(("{", "[")):
        return CsvFile(path, replace(settings, encoding=name))
    if name != UTF_8:
        raise Unreadable(
            "JSON is UTF-8 by its standard, and this file is not. Save it as UTF-8 and try again."
        )
    return _json_file(path, text.lstrip())


def _refuse_others(sample: bytes) -> None:
    for mark, advice in _OTHER_FORMATS.items():
        if sample.startswith(mark):
            raise Unreadable(advice)
    if not sample[byte_order_mark(sample)[1] :].strip():
        raise Unreadable("The file is empty.")


def _refuse_binary(text: str) -> None:
    odd = sum(text.count(character) for character in _ODD)
    if odd + text.count("\0") > max(8, len(text) / 50) or "\0" in text.split("\n", 1)[0]:
        raise Unreadable("This is not a text file. Bring patients as CSV or as FHIR NDJSON.")
    if "\r" in text and "\n" not in text:
        raise Unreadable(f"This file has the line ends of old Macs. {SAVE_AS}")


def _json_file(path: Path, text: str) -> PatientFile:
    first, *others = [line.strip() for line in text.split("\n", 20) if line.strip()]
    if first.startswith("["):
        raise Unreadable("This is a JSON array. Bring patients as FHIR NDJSON or as a FHIR Bundle.")
    try:
        kind = load_json(first).get("resourceType")
    except NestedTooDeeply:
        # A reader tells so: of the row, or of the document.
        return NdjsonFile(path) if others else BundleFile(path)
    except ValueError:
        if not others and _is_one_long_line(path):
            return BundleFile(path)
        # This is one document over many lines, or NDJSON whose first row alone is broken.
        return NdjsonFile(path) if not others or others[0].startswith("{") else BundleFile(path)
    if kind is None:
        raise Unreadable("This is JSON, but not FHIR: the objects have no resourceType.")
    return BundleFile(path) if kind == "Bundle" else NdjsonFile(path)


def _is_one_long_line(path: Path) -> bool:
    """Tells whether the file is one document on one line that goes on behind the sample."""
    if not SAMPLE < path.stat().st_size <= MAX_BUNDLE_BYTES:
        return False
    with path.open("rb") as file:
        file.readline()
        return not file.read().strip()
