"""Refuses ZIP files that must not be unpacked: bombs, macros, passwords, and other formats."""

import mmap
from pathlib import Path
from zipfile import BadZipFile, ZipFile, _EndRecData  # type: ignore[attr-defined]  # private

from portal.imports.readers.rows import Unreadable

# All parts together; a sheet of a million short cells has about 40 MB.
MAX_UNPACKED_BYTES = 512 * 1024 * 1024
# Sheets pack to a tenth or a twentieth; only zeros pack to a thousandth.
MAX_COMPRESSION_RATIO = 100
SMALL = 10 * 1024 * 1024  # Fewer unpacked bytes do no harm, however well they are packed.
MAX_PARTS = 2_000
# The library makes an object of each entry of the directory before the entries can be counted.
MAX_DIRECTORY_BYTES = MAX_PARTS * 1024
_DIRECTORY_SIZE = 5  # Its place in what the library reads at the end of a ZIP.
SAVE_AS = "Save it as an Excel workbook (.xlsx) or as “CSV UTF-8 (comma delimited)” and try again."
DAMAGED = f"This Excel workbook or ZIP file is damaged. {SAVE_AS}"
TOO_LARGE = (
    "Unpacked, this file would be far too large. Bring the patients as CSV, or split the file."
)

_BRING = "Bring patients as Excel workbook, CSV or FHIR NDJSON."
_OTHER_FORMATS = {
    "xl/workbook.bin": f"This is a binary Excel workbook (.xlsb). {SAVE_AS}",
    "word/document.xml": f"This is a Word document. {_BRING}",
    "ppt/presentation.xml": f"This is a presentation. {_BRING}",
    "mimetype": f"This is an OpenDocument file. {SAVE_AS}",
}


def refuse_unsafe(path: Path) -> None:
    """Unreadable unless a ZIP is a plain Excel workbook by its directory, before a part is read.

    A wrong size in the directory does no harm: no more of a part is unpacked than its size says.
    """
    try:
        _refuse_long_directory(path)
        with ZipFile(path) as packed:
            parts = packed.infolist()
            _refuse_large(sum(part.file_size for part in parts), path.stat().st_size, len(parts))
            is_locked = any(part.flag_bits & 1 for part in parts)
            names = {part.filename.replace("\\", "/").lower() for part in parts}
            _refuse_others(names, is_locked=is_locked)
    except (BadZipFile, KeyError, NotImplementedError, OSError, EOFError, ValueError) as error:
        raise Unreadable(DAMAGED) from error


def advice_for_ole_file(path: Path) -> str:
    """Says what an OLE file is: a workbook with a password, or one of the format before 2007."""
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        is_locked = content.find("EncryptedPackage".encode("utf-16-le")) >= 0
    if is_locked:
        return "This workbook is protected by a password. Save it without one and try again."
    return f"This is an old Excel workbook (.xls). {SAVE_AS}"


def _refuse_long_directory(path: Path) -> None:
    """Refuses a directory of millions of parts, which would fill the memory."""
    with path.open("rb") as file:
        end = _EndRecData(file)
    if end and end[_DIRECTORY_SIZE] > MAX_DIRECTORY_BYTES:
        raise Unreadable(TOO_LARGE)


def _refuse_large(unpacked: int, packed: int, parts: int) -> None:
    is_bomb = unpacked > SMALL and unpacked > MAX_COMPRESSION_RATIO * packed
    if unpacked > MAX_UNPACKED_BYTES or parts > MAX_PARTS or is_bomb:
        raise Unreadable(TOO_LARGE)


def _refuse_others(names: set[str], *, is_locked: bool) -> None:
    if is_locked:
        raise Unreadable("This file is protected by a password. Save it without one and try again.")
    if any(name.endswith("vbaproject.bin") for name in names):
        raise Unreadable(f"This workbook has macros (.xlsm). {SAVE_AS}")
    for name, advice in _OTHER_FORMATS.items():
        if name in names:
            raise Unreadable(advice)
    # Every workbook has these relations; where its parts lie is left to the program that wrote it.
    if not names & {"_rels/.rels", "xl/workbook.xml"}:
        advice = "Unpack it and bring the file inside."
        raise Unreadable(f"This is a ZIP file and not an Excel workbook. {advice}")
