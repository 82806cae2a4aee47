"""Breaks the bytes of files: flipped, cut, spliced, blown up."""

import zipfile
from collections.abc import Callable

from hypothesis import strategies as st

from tests.fuzz.drawn_file import DrawnFile
from tests.fuzz.workbooks import pack, workbook_parts

_INSERTED = [
    b"\0", b"\0" * 9, b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff", b"\xff", b"\xc3", b"\xed\xa0\x80",
    b'"', b'""', b"'", b",", b";", b"\t", b"\n", b"\r", b"\r\n", b"\n\n\n", b"\x1a", b"{", b"}",
    b"[", b"]", b"\\", b"\\ud800", b"\\u0000", b":", b"PK\x03\x04", b"<", b">", b"&", b"\x85",
    b"\xe2\x80\xa8", b"A" * 70_000, b"," * 70_000, b'"' * 999, b"[" * 70_000, b"\n" * 9_999,
    b"\xff" * 9_999, b"9" * 9_999,
]  # fmt: skip
_MOST = 4  # Changes of one file.
_MANY_PARTS, _BOMB_BYTES = 2_100, 11 * 1024 * 1024

Change = Callable[[bytes], bytes]


@st.composite
def _changes(draw: st.DrawFn) -> Change:
    kind, place, length = draw(
        st.tuples(st.integers(0, 5), st.floats(0, 1), st.sampled_from([1, 1, 2, 4, 16, 100, 1000]))
    )
    inserted = draw(st.sampled_from(_INSERTED)) if kind in (0, 1) else b""
    bit = draw(st.integers(0, 7)) if kind == 2 else 0
    goal = draw(st.floats(0, 1)) if kind == 4 else 0.0

    def change(data: bytes) -> bytes:
        at = int(place * len(data))
        match kind:
            case 0:
                return data[:at] + inserted + data[at:]
            case 1:
                return data[:at] + inserted + data[at + len(inserted[:9]) :]
            case 2:
                return (
                    data[:at]
                    + bytes(byte ^ 1 << bit for byte in data[at : at + 1])
                    + data[at + 1 :]
                )
            case 3:
                return data[:at] + data[at + length :]
            case 4:
                to = int(goal * len(data))
                return data[:to] + data[at : at + length] + data[to:]
        return data[:at]

    return change


@st.composite
def broken(draw: st.DrawFn, files: st.SearchStrategy[DrawnFile]) -> DrawnFile:
    """Draws files with one to four changes of their bytes."""
    content = draw(files).content
    for change in draw(st.lists(_changes(), min_size=1, max_size=_MOST)):
        content = change(content)
    return DrawnFile(content)


@st.composite
def broken_parts(draw: st.DrawFn) -> DrawnFile:
    """Draws workbooks with changes inside of one part, or that are bombs of some kind."""
    parts, _, _ = draw(workbook_parts())
    name = draw(st.sampled_from([*parts]))
    for change in draw(st.lists(_changes(), min_size=1, max_size=_MOST)):
        parts[name] = change(parts[name])
    content = pack(parts)
    if draw(st.integers(0, 19)) == 0:
        content = draw(_bombs(parts))
    elif draw(st.integers(0, 4)) == 0:
        content = _with_sizes(content, draw(st.sampled_from([0, 1, 99, 2**31 - 1, 2**32 - 1])))
    return DrawnFile(content)


@st.composite
def _bombs(draw: st.DrawFn, parts: dict[str, bytes]) -> bytes:
    filler = draw(st.sampled_from([b" ", b"<si/>", b"<row/>", b"<c/>", b"<a>", b"<t>x</t>", b"x"]))
    name = draw(st.sampled_from([*parts]))
    match draw(st.integers(0, 2)):
        case 0:
            return pack({f"xl/{number}.xml": b"" for number in range(_MANY_PARTS)} | parts)
        case 1:
            place = parts[name].rfind(b"</")
            bomb = filler * (_BOMB_BYTES // len(filler))
            return pack(parts | {name: parts[name][:place] + bomb + parts[name][place:]})
    place = parts[name].rfind(b"</")
    much = filler * (2 * 1024 * 1024 // len(filler))
    content = parts[name][:place] + much + parts[name][place:]
    return pack(parts | {name: content}, method=zipfile.ZIP_STORED)


def _with_sizes(content: bytes, size: int) -> bytes:
    """Returns the ZIP with another unpacked size for each part in its directory."""
    place = content.find(b"PK\x01\x02")
    while place >= 0:
        content = content[: place + 24] + size.to_bytes(4, "little") + content[place + 28 :]
        place = content.find(b"PK\x01\x02", place + 46)
    return content
