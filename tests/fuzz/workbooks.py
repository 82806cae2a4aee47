"""Draws workbooks part by part, as programs write them and as none does."""

import io
import zipfile
from xml.sax.saxutils import escape, quoteattr

from hypothesis import strategies as st

from tests.fuzz.drawn_file import DrawnFile
from tests.fuzz.tables import Table, tables

_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006/relationships"
_FORMATS = [
    "General", "0", "000-00-0000", "yyyy-mm-dd", "m/d/yyyy", "[h]:mm", "@", "0.00E+00", "#,##0",
    '"x"0', "[Red]0;[Blue]-0", "d", "mmmm", ";;;", "", "[$-409]d", "0" * 300, '"', "\\", "_", "*",
    "[<=99999]00000;00000-0000", "[", "?/?", "00\\/00\\/0000", "e", "yy", "AM/PM",
]  # fmt: skip
_NUMBERS = [
    "30685", "0", "-1", "1", "60", "61", "2958465", "2958466", "1e400", "1E5", "1.5", "30685.99999",
    "999000001", "12345678901234567", "1.23E+11", "NaN", "Infinity", "sNaN", "", " 3 ", "abc",
    "0x1", "1_0", "٣", "-0", "1e-400", "9" * 400, ".5", "5.", "+5", "1,5", "1e", "--1",
    "1E+99999999999",
]  # fmt: skip
_KINDS = ["n", "s", "b", "e", "d", "str", "inlineStr", "", "x", "S"]
_REFERENCES = [
    "",
    "A1",
    "B",
    "XFD1",
    "XFE1",
    "ZZZ9",
    "1A",
    "a2",
    "$A$1",
    "A99999999999",
    "A-1",
    "R1C1",
]


@st.composite
def workbook_files(draw: st.DrawFn) -> DrawnFile:
    """Draws workbooks; two of three have cells or parts that are odd."""
    parts, rows, table = draw(workbook_parts())
    content = pack(parts, method=draw(st.sampled_from([zipfile.ZIP_DEFLATED, zipfile.ZIP_STORED])))
    if rows is None or not table.is_plain:
        return DrawnFile(content)
    names = {number: row[0] for number, row in enumerate(table.rows, start=2) if row[0].strip()}
    return DrawnFile(content, rows, names)


@st.composite
def workbook_parts(draw: st.DrawFn) -> tuple[dict[str, bytes], int | None, Table]:
    """Draws the parts by name, how many rows they have (None if nobody knows), and the table."""
    table = draw(tables(most_rows=6))
    strings: list[str] = []
    oddness = draw(st.integers(0, 2))
    lines = []
    for number, cells in enumerate([table.header, *table.rows], start=1):
        is_odd = bool(oddness) and number > 1
        lines.append(_row(draw, number, cells, strings, is_odd=is_odd))
    merged = _merged_cells(draw) if oddness else ""
    sheet_data = f"<sheetData>{''.join(lines)}</sheetData>{merged}"
    sheet = f'<worksheet xmlns="{_MAIN}">{sheet_data}</worksheet>'
    parts = {
        "[Content_Types].xml": "<Types/>",
        "_rels/.rels": _relations(("officeDocument", "xl/workbook.xml")),
        "xl/workbook.xml": _workbook(draw),
        "xl/_rels/workbook.xml.rels": _relations(
            ("worksheet", "worksheets/sheet1.xml"),
            ("sharedStrings", "sharedStrings.xml"),
            ("styles", "styles.xml"),
        ),
        "xl/worksheets/sheet1.xml": sheet,
        "xl/sharedStrings.xml": _strings(strings),
        "xl/styles.xml": _styles(draw),
    }
    if oddness == 2:
        parts = draw(_spoilt(parts))
    rows = sum(any(map(str.strip, row)) for row in table.rows) if not oddness else None
    packed = {name: text.encode("utf-8", "replace") for name, text in parts.items()}
    return packed, rows, table


def pack(parts: dict[str, bytes], *, method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """Returns the ZIP of these parts."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", method) as archive:
        for name, data in parts.items():
            archive.writestr(name, data)
    return packed.getvalue()


def _relations(*targets: tuple[str, str]) -> str:
    lines = [
        f'<Relationship Id="r{number}" Type="{_OFFICE}/{kind}" Target="{target}"/>'
        for number, (kind, target) in enumerate(targets, start=1)
    ]
    return f'<Relationships xmlns="{_PACKAGE}">{"".join(lines)}</Relationships>'


def _workbook(draw: st.DrawFn) -> str:
    first_day = draw(
        st.sampled_from(["", '<workbookPr date1904="1"/>', '<workbookPr date1904="x"/>'])
    )
    sheet = '<sheet name="People" sheetId="1" r:id="r1"/>'
    begin = f'<workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}">'
    return f"{begin}{first_day}<sheets>{sheet}</sheets></workbook>"


def _strings(strings: list[str]) -> str:
    items = [f"<si><t>{_xml(text)}</t></si>" for text in strings]
    return f'<sst xmlns="{_MAIN}">{"".join(items)}</sst>'


def _styles(draw: st.DrawFn) -> str:
    formats = draw(st.lists(st.sampled_from(_FORMATS), max_size=4))
    codes = [
        f"<numFmt numFmtId='{164 + place}' formatCode={quoteattr(code)}/>"
        for place, code in enumerate(formats)
    ]
    numbers = [0, 14, *range(164, 164 + len(formats))]
    styles = [f'<xf numFmtId="{number}"/>' for number in numbers]
    return (
        f'<styleSheet xmlns="{_MAIN}"><numFmts>{"".join(codes)}</numFmts>'
        f"<cellXfs>{''.join(styles)}</cellXfs></styleSheet>"
    )


def _row(
    draw: st.DrawFn, number: int, cells: list[str], strings: list[str], *, is_odd: bool
) -> str:
    written = []
    for column, text in enumerate(cells):
        if is_odd and column and draw(st.integers(0, 2)) == 0:
            written.append(_odd_cell(draw, number, column, text))
            continue
        place = f"{chr(65 + column)}{number}"
        if draw(st.booleans()):
            strings.append(text)
            written.append(f'<c r="{place}" t="s"><v>{len(strings) - 1}</v></c>')
        else:
            written.append(f'<c r="{place}" t="inlineStr"><is><t>{_xml(text)}</t></is></c>')
    return f'<row r="{number}">{"".join(written)}</row>'


def _odd_cell(draw: st.DrawFn, number: int, column: int, text: str) -> str:
    place = f"{chr(65 + column)}{number}"
    if draw(st.integers(0, 9)) == 0:
        place = draw(st.sampled_from(_REFERENCES))
    value = draw(st.one_of(st.sampled_from(_NUMBERS), st.just(_xml(text))))
    style = draw(st.sampled_from(["0", "1", "2", "3", "99", "-1", "x", "9" * 30]))
    formula = draw(st.sampled_from(["", "", "<f>A1</f>", "<f/>", "<f><v>1</v></f>"]))
    kind = draw(st.sampled_from(_KINDS))
    body = draw(
        st.sampled_from(["<v>{}</v>", "<is><t>{}</t></is>", "{}", "<v/>", "<v>{0}</v><v>{0}</v>"])
    )
    return f'<c r="{place}" s="{style}" t="{kind}">{formula}{body.format(value)}</c>'


_AREAS = [
    "A2:A3", "B2:B5", "A2:C2", "B3:D9", "A1:A2", "A1:B1", "A2:XFD1048576", "C4:B2", "A3:A3", "A2",
    "", "x", "ZZZ1:ZZZ9", "A0:A9999999", "$A$2:$A$4", "B2:B3 C2:C3",
]  # fmt: skip


def _merged_cells(draw: st.DrawFn) -> str:
    areas = draw(st.lists(st.sampled_from(_AREAS), max_size=3))
    cells = "".join(f'<mergeCell ref="{area}"/>' for area in areas)
    return f"<mergeCells>{cells}</mergeCells>" if areas else ""


_ODD_XML = [
    "", "<row/>", "<row r='1'/>", "<row r='0'/>", "<row r='99999999'><c><v>1</v></c></row>", "<c/>",
    "<v>1</v>", "</c>", "<!DOCTYPE x [<!ENTITY a 'b'>]>", "&a;", "&#0;", "&#xD800;", "<!-- -->",
    "<![CDATA[x]]>", "<?x?>", "<mergeCell ref='A1:B2'/>", "<rPh><t>x</t></rPh>", "\0", "<c t='s'/>",
    "<row r='2'><c r='A2' t='s'><v>-1</v></c></row>", "<sheetData/>", "<x:row xmlns:x='y'/>",
    "<row><c r='A'><v>1</v></c><c r='A'><v>2</v></c></row>", "<phoneticPr/>", "_x0000_", "_xDC00_",
]  # fmt: skip


@st.composite
def _spoilt(draw: st.DrawFn, parts: dict[str, str]) -> dict[str, str]:
    """Draws the same parts with one of them missing, renamed, or with odd XML in it."""
    name = draw(st.sampled_from([*parts]))
    changed = dict(parts)
    text = changed[name]
    match draw(st.integers(0, 9)):
        case 0:
            del changed[name]
        case 1:
            changed[name.upper().replace("/", "\\")] = changed.pop(name)
        case 2:
            changed[name] = draw(st.sampled_from(["", "x", "<a/>", "\ufeff" + text, text[:-5]]))
        case 3:
            changed[name] = text.replace("xl/workbook.xml", "/xl/../xl/workbook.xml")
        case 4:
            changed[name] = '<?xml version="1.0" encoding="UTF-16"?>' + text
        case _:
            places = [place for place in range(len(text)) if text[place] == "<"] or [0]
            place = draw(st.sampled_from(places))
            changed[name] = text[:place] + draw(st.sampled_from(_ODD_XML)) + text[place:]
    return changed


def _xml(text: str) -> str:
    """Returns the text for XML, which has no control characters."""
    kept = "".join(character for character in text if character >= " " or character in "\t\n")
    return escape(kept.replace("\uffff", "").replace("\ufffe", ""))
