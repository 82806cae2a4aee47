"""Refuses ZIP files that must not be unpacked: bombs, macros, passwords, and whatever is no workbook."""

import mmap
from pathlib import Path
from zipfile import BadZipFile, ZipFile, _EndRecData  # type: ignore[attr-defined]

from portal.imports.readers.rows import Unreadable
from portal.imports.readers.workbook_parts import (
    are_parts_too_large,
    has_too_many_tags,
    shared_strings,
)

MAX_UNPACKED_BYTES = (
    512 * 1024 * 1024
)  # Bytes of all parts together; a sheet of a million short cells has about 40 MB.
MAX_COMPRESSION_RATIO = (
    100  # Sheets pack to a tenth or a twentieth; nothing but zeros packs to a thousandth.
)
SMALL = 10 * 1024 * 1024  # Below this nothing can hurt, however well it is packed.
MAX_PARTS = 2_000
MAX_DIRECTORY_BYTES = (
    MAX_PARTS * 1024
)  # Bytes; the library makes an object of each entry before anyone can count.
MAX_CONTENT_TYPES_BYTES = 1024 * 1024  # Bytes of the list that says what each part is.
_DIRECTORY_SIZE = 5  # Its place in what the library reads at the end of a ZIP.
SAVE_AS = "Save it as an Excel workbook (.xlsx) or as “CSV UTF-8 (comma delimited)” and try again."
DAMAGED = f"This Excel workbook or ZIP file is damaged. {SAVE_AS}"
TOO_LARGE = (
    "Unpacked, this file would be far too large. Bring the patients as CSV, or split the file."
)

_OTHERS = {
    "xl/workbook.bin": f"This is a binary Excel workbook (.xlsb). {SAVE_AS}",
    "word/document.xml": "This is a Word document. Bring patients as Excel workbook, CSV or FHIR NDJSON.",
    "ppt/presentation.xml": "This is a presentation. Bring patients as Excel workbook, CSV or FHIR NDJSON.",
    "mimetype": f"This is an OpenDocument file. {SAVE_AS}",
}


def refuse_unsafe(path: Path) -> None:
    """Judge a ZIP by its directory and its list of kinds; Unreadable unless it is a plain Excel workbook.

    Sizes there cannot lie to our harm: no more is ever unpacked of a part than its size says.
    """
    try:
        _refuse_long_directory(path)
        with ZipFile(path) as packed:
            parts = packed.infolist()
            _refuse_large(sum(part.file_size for part in parts), path.stat().st_size, len(parts))
            _refuse_others(
                {part.filename for part in parts},
                is_locked=any(part.flag_bits & 1 for part in parts),
            )
            with packed.open("[Content_Types].xml") as file:
                kinds = file.read(MAX_CONTENT_TYPES_BYTES + 1)
            if (
                len(kinds) > MAX_CONTENT_TYPES_BYTES
                or are_parts_too_large(parts, kinds)
                or _has_many_strings(packed, kinds)
            ):
                raise Unreadable(TOO_LARGE)
    except (BadZipFile, KeyError, NotImplementedError, OSError, EOFError, ValueError) as error:
        raise Unreadable(DAMAGED) from error
    if b"macroEnabled" in kinds:
        raise Unreadable(f"This workbook has macros (.xlsm). {SAVE_AS}")


def _has_many_strings(packed: ZipFile, kinds: bytes) -> bool:
    names = set(packed.namelist())
    for name in shared_strings(kinds):
        if name in names:
            with packed.open(name) as file:
                if has_too_many_tags(file):
                    return True
    return False


def advice_for_ole_file(path: Path) -> str:
    """What an OLE file is: a workbook with a password is packed into one, as is the format before 2007."""
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        is_locked = content.find("EncryptedPackage".encode("utf-16-le")) >= 0
    if is_locked:
        return "This workbook is protected by a password. Save it without one and try again."
    return f"This is an old Excel workbook (.xls). {SAVE_AS}"


def _refuse_long_directory(path: Path) -> None:
    """A directory of millions of parts would fill the memory, however small the file."""
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
    if "xl/vbaProject.bin" in names:
        raise Unreadable(f"This workbook has macros (.xlsm). {SAVE_AS}")
    if "xl/workbook.xml" not in names:
        words = next((words for name, words in _OTHERS.items() if name in names), None)
        raise Unreadable(
            words
            or "This is a ZIP file and not an Excel workbook. Unpack it and bring the file inside."
        )
