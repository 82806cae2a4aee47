"""Workbooks as programs write them, made of their XML: openpyxl writes only the usual ones."""

import io
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape, quoteattr

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
STRICT = "http://purl.oclc.org/ooxml/spreadsheetml/main"
HEADER = ("family_name", "given_name", "date_of_birth", "sex", "phone", "ssn")
_RELATED = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_RELATIONS = "http://schemas.openxmlformats.org/package/2006/relationships"
DATE, TIME = 14, 20  # Built-in formats.


@dataclass(frozen=True)
class Cell:
    """A cell: the text of its value, its type, its format, and a formula."""

    value: str
    kind: str = "n"
    number_format: int | str = 0
    formula: str = ""


def shared(text: str) -> Cell:
    """Returns a cell whose text stands among the shared strings."""
    return Cell(text, "s")


def workbook(
    *rows: Sequence[Cell | str | None],
    header: Sequence[str] | None = HEADER,
    before: Sequence[Sequence[str]] = (),
    namespace: str = MAIN,
    prefix: str = "",
    attributes: str = "",
    behind: str = "",
    counts_from_1904: bool = False,
    more_sheets: Mapping[str, Sequence[Sequence[str]]] | None = None,
) -> bytes:
    """Returns a workbook whose first sheet has these rows below the header.

    `before` are rows above it, `prefix` is that of all names of the XML, `attributes` go into each
    cell, and `behind` is XML that follows the rows.
    """
    book = _Book(prefix, attributes)
    header_rows = [list(header)] if header else []
    sheets = {"People": [*before, *header_rows, *rows], **(more_sheets or {})}
    parts = {"[Content_Types].xml": "<Types/>", "_rels/.rels": _relations(("officeDocument", 1))}
    for number, (_, table) in enumerate(sheets.items(), start=1):
        data = "".join(book.row(place, cells) for place, cells in enumerate(table, start=1))
        inner = book.element("sheetData", data) + (behind if number == 1 else "")
        parts[f"xl/worksheets/sheet{number}.xml"] = book.document("worksheet", namespace, inner)
    parts["xl/workbook.xml"] = book.document(
        "workbook", namespace, book.sheets(sheets, counts_from_1904=counts_from_1904)
    )
    parts["xl/styles.xml"] = book.document("styleSheet", namespace, book.styles())
    parts["xl/sharedStrings.xml"] = book.document("sst", namespace, book.strings())
    kinds = [("worksheet", number) for number in range(1, len(sheets) + 1)]
    others = [("styles", 98), ("sharedStrings", 99)]
    parts["xl/_rels/workbook.xml.rels"] = _relations(*kinds, *others)
    return packed(parts)


def packed(parts: Mapping[str, str | bytes]) -> bytes:
    """Returns a ZIP of these parts."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in parts.items():
            entry = zipfile.ZipInfo(name)
            entry.filename = name  # With a backslash, too.
            archive.writestr(entry, data)
    return content.getvalue()


def changed(content: bytes, old: str, new: str, *, names: Mapping[str, str] | None = None) -> bytes:
    """Returns the workbook with other XML, and with parts of other names."""
    parts = {}
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        for name in archive.namelist():
            text = archive.read(name).decode().replace(old, new)
            for before, behind in (names or {}).items():
                name = name.replace(before, behind)
            parts[name] = text
    return packed(parts)


class _Book:
    def __init__(self, prefix: str, attributes: str) -> None:
        self.prefix, self.attributes = prefix, attributes
        self.formats: list[int | str] = [0]
        self.texts: list[str] = []

    def element(self, name: str, inner: str = "", **attributes: object) -> str:
        tag = f"{self.prefix}{name}"
        written = "".join(f" {key}={quoteattr(str(value))}" for key, value in attributes.items())
        return f"<{tag}{written}>{inner}</{tag}>"

    def document(self, name: str, namespace: str, inner: str) -> str:
        tag = f"{self.prefix}{name}"
        spaces = f'xmlns{":" if self.prefix else ""}{self.prefix.rstrip(":")}="{namespace}"'
        return f'<{tag} {spaces} xmlns:r="{_RELATED}">{inner}</{tag}>'

    def row(self, number: int, cells: Sequence[Cell | str | None]) -> str:
        written = [
            self._cell(f"{'ABCDEFGHIJ'[place]}{number}", cell)
            for place, cell in enumerate(cells)
            if cell is not None
        ]
        return self.element("row", "".join(written), r=number)

    def _cell(self, reference: str, cell: Cell | str) -> str:
        start = f'<{self.prefix}c r="{reference}"{self.attributes}'
        if isinstance(cell, str):
            inner = self.element("is", self.element("t", escape(cell)))
            return f'{start} t="inlineStr">{inner}</{self.prefix}c>'
        value, style = cell.value, self._style(cell.number_format)
        if cell.kind == "s":
            self.texts.append(value)
            value = str(len(self.texts) - 1)
        formula = self.element("f", escape(cell.formula)) if cell.formula else ""
        inner = formula + (self.element("v", escape(value)) if value else "")
        styled = f' s="{style}"' if style else ""
        return f'{start}{styled} t="{cell.kind}">{inner}</{self.prefix}c>'

    def _style(self, number_format: int | str) -> int:
        if number_format not in self.formats:
            self.formats.append(number_format)
        return self.formats.index(number_format)

    def styles(self) -> str:
        codes = {200 + n: code for n, code in enumerate(self.formats) if isinstance(code, str)}
        written = [
            self.element("numFmt", numFmtId=number, formatCode=code)
            for number, code in codes.items()
        ]
        styles = [
            self.element("xf", numFmtId=200 + place if isinstance(code, str) else code)
            for place, code in enumerate(self.formats)
        ]
        formats = self.element("numFmts", "".join(written))
        return formats + self.element("cellXfs", "".join(styles))

    def strings(self) -> str:
        return "".join(self.element("si", self.element("t", escape(text))) for text in self.texts)

    def sheets(self, sheets: Mapping[str, object], *, counts_from_1904: bool) -> str:
        listed = [
            f'<{self.prefix}sheet name={quoteattr(name)} sheetId="{number}" r:id="r{number}"/>'
            for number, name in enumerate(sheets, start=1)
        ]
        properties = self.element("workbookPr", date1904=int(counts_from_1904))
        return properties + self.element("sheets", "".join(listed))


def _relations(*kinds: tuple[str, int]) -> str:
    targets = {"officeDocument": "xl/workbook.xml", "styles": "styles.xml"}
    targets["sharedStrings"] = "sharedStrings.xml"
    written = "".join(
        f'<Relationship Id="r{number}" Type="{_RELATED}/{kind}" '
        f'Target="{targets.get(kind, f"worksheets/sheet{number}.xml")}"/>'
        for kind, number in kinds
    )
    return f'<Relationships xmlns="{_RELATIONS}">{written}</Relationships>'
