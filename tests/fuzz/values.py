"""Values of people as files have them, and as no file should."""

from hypothesis import strategies as st

from tests.fuzz.drawn_file import MARK

KNOWN_SSN = ["219-09-9990", "219-09-9991", "219-09-9992", "219-09-9993"]

_ODD = [
    "", " ", "\xa0", "null", "NULL", "N/A", "-", "#REF!", "#N/A", "=1+1", "=cmd|' /C calc'!A0",
    "'", "''", "+1", "-1", "@x", "0", "-0", "1e309", "1E5", "1.5", "NaN", "inf", "true", "\\N",
    "\u202egnirts", "\u200b", "\ufeff", "\u2028", "\x85", "\x0b", "\x1f", "\x7f", "a\tb",
    "\ud7ff", "\ue000", "\ufffd", "\uffff", "\U0010ffff", "\U0001f469\u200d\U0001f469",
    "e\u0301" * 40, "\u0301", "ﷺ" * 20, "ß", "İ", "ſ", "ŉ", "Å", "٣", "３", "Ⅷ", "²",
    "a" * 101, "b" * 256, "c" * 3000, "|", ";", "a|b", "|||", "ssn|", "|1", "ssn|1|2", "<b>",
    "&uuml;", "Ã¼", "M?ller", "%s", "{}", "{0}", "\\u0000", "_x0000_", "_xD800_", "_x000D_",
]  # fmt: skip
_FAMILY = [
    "", "", "", "-Sample", " Beispiel", "’Hooft", " de la Cruz", " Nguyễn", " 王小明", " Иванова",
    " Jr.", " (Mrs)", ", Anna", " & Co", " null", "\u200b", "\u202e", "é", "=1", "ä" * 30,
]  # fmt: skip
_GIVEN = [
    "Anna", "Ben", "Mary Ann", "María José", "Bob", "Robert", "李", "Ольга", "J.", "Baby boy",
    "Twin A", "Unknown", "", "X Æ A-12", "Anna-Lena", "محمد", "ทดสอบ", "TEST",
]  # fmt: skip
_DATES = [
    "1984-03-15", "1984-03-15T00:00:00", "1984-03-15 00:00", "15.03.1984", "03/04/1984",
    "13/04/1984", "04/13/1984", "29.02.2023", "0000-00-00", "30685", "30685.5", "1984", "1984-03",
    "9999-12-31", "0001-01-01", "1850-01-01", "2562-01-01", "2125-01-01", "1984-W10-5", "198403",
    "19840315", "3/4/84", "15 Mar 1984", "March 4, 1984", "4. März 1984", "٠١/٠٢/١٩٩٠",
    "1984-13-01", "-1984-01-01", "1984-03-15+14:00", "1984/3/4", "昭和59年3月15日", "1900-02-29",
    "1.1.1", "99999999999999999999", "1984-02-30", "00/00/1984", "1984-3-0", "24.12.", "1990-1",
]  # fmt: skip
_SEXES = [
    "male", "female", "M", "F", "m", "W", "d", "H", "V", "K", "x", "1", "2", "9", "unknown",
    "divers", "Q", "Männlich", "männlich/weiblich", "other", "", "0.0",
]  # fmt: skip
_NUMBERS = [
    *KNOWN_SSN, "999-00-0001", "999000002", "000-00-0000", "123-45-6789", "XXX-XX-1234", "1.23E+11",
    "A1", "a1", "A 1", "N/A", "none", "0001", "0", "9" * 300, "ÄÖ-1", "１２３", "1,234,567", "5.0",
]  # fmt: skip
_PHONES = [
    "(617) 555-0123", "+49 30 901820", "020 7946 0958", "6175550123", "5550123", "+1", "0",
    "617-555-0123 x12", "617-555-0123 / 617-555-0124", "+" + "9" * 40, "tel:+16175550123",
    "6175550123.0", "1.617E+10", "٠١٢٣٤٥٦٧٨٩", "n/a", "call mother",
]  # fmt: skip
_OTHERS = [
    "Salem", "02134", "2134", "DE", "de", "Germany", "XX", "United States", "MA", "en", "en-US",
    "klingon", "M", "white", "hispanic", "a@b.example", "a@b", "a b@c.d", "1 Sample Street", "D84",
    "day", "month", "year", "century",
]  # fmt: skip


def family_name(number: int) -> st.SearchStrategy[str]:
    """Returns names that tell which row they are of."""
    return st.sampled_from(_FAMILY).map(lambda end: f"{MARK}{_letters(number)}{end}")


def _letters(number: int) -> str:
    return "".join("abcdefghij"[int(digit)] for digit in str(number))


_GOOD = {
    "given_name": ["Anna", "Ben", "Mary Ann", "José", "Ольга", "李"],
    "date_of_birth": ["1984-03-15", "15.03.1984", "1990-12-01", "2001-07-31", "1984", ""],
    "deceased_on": ["", "", "", "2024-02-29"],
    "registered_on": ["2020-01-31", ""],
    "sex": ["male", "female", "F", "M", ""],
    "phone": ["(617) 555-0123", "+49 30 901820", "617-555-0199", ""],
    "ssn": [*KNOWN_SSN, "219-09-8881", "219-09-8882", ""],
    "passport": ["P7712345", "P7712346", "X99", ""],
    "driver": ["S99912345", ""],
    "mrn": ["100001", "A-77", ""],
    "id": ["0197f1c4-0000-7000-8000-000000000001", "0197f1c4-0000-7000-8000-000000000002", ""],
    "identifiers": ["ssn|219-09-9990", "passport|P7712345; driver|S99912345", ""],
    "middle_name": ["Lee", ""],
    "city": ["Salem", "Lowell", ""],
    "postal_code": ["02134", "10115", ""],
    "country": ["US", "DE", ""],
    "email": ["a@mail.example", "b@mail.example", ""],
    "language": ["en", "de", ""],
    "date_of_birth_precision": ["day", "month", "year", ""],
    "note": ["x", ""],
}

odd_texts = st.one_of(
    st.sampled_from(_ODD), st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
)
dates = st.sampled_from(_DATES)
_USUAL = {
    "given_name": st.sampled_from(_GIVEN),
    "date_of_birth": dates,
    "deceased_on": dates,
    "registered_on": dates,
    "sex": st.sampled_from(_SEXES),
    "phone": st.sampled_from(_PHONES),
    **dict.fromkeys(["ssn", "passport", "mrn", "driver"], st.sampled_from(_NUMBERS)),
    "id": st.sampled_from(
        ["0197f1c4-0000-7000-8000-000000000001", "12333", "", "0" * 32, "{0}", "x" * 36]
    ),
    "identifiers": st.sampled_from(
        [
            "ssn|219-09-9990",
            "ssn|1;passport|2",
            "ssn|",
            "|",
            "urn:x|1",
            "ssn",
            "a|b|c",
            "ssn|1, x|2",
        ]
    ),
}
_others = st.sampled_from(_OTHERS)


def good_value_of(field: str) -> st.SearchStrategy[str]:
    """Returns values that the portal takes."""
    return st.sampled_from(_GOOD[field])


def value_of(field: str) -> st.SearchStrategy[str]:
    """Returns values of a field: most are usual ones, of which one half is good."""
    usual = _USUAL.get(field, _others)
    good = good_value_of(field)
    return st.one_of(good, good, good, good, usual, usual, odd_texts)
