"""What was typed into the search box, as a first guess at the fields of a new patient."""

from typing import Any

from portal.patients.search.dates import DateSpan, parse_date_span


def prefill_fields(text: str) -> dict[str, Any]:
    """Names with the family name first, a date of birth, a phone, an identifier; a name may stand with one of these."""
    words = [word.strip(",;") for word in text.split()]
    if number := _number(" ".join(words)):
        return number
    for names, rest in _cuts(words):
        if all(_is_name(word) for word in names) and (number := _number(rest)):
            return _names(names) | number
    return _names(words)


def _cuts(words: list[str]) -> list[tuple[list[str], str]]:
    """A name with something behind it, then with something before it; the longest something first."""
    behind = [(words[:at], " ".join(words[at:])) for at in range(1, len(words))]
    return behind + [(words[at:], " ".join(words[:at])) for at in range(len(words) - 1, 0, -1)]


def _number(text: str) -> dict[str, Any]:
    if span := parse_date_span(text):
        return {"date_of_birth": _boxes(span)}
    if sum(c.isdigit() for c in text) <= len(text) / 2:
        return {}
    if not _is_name(text):
        return {"phone": text}
    return {} if " " in text else {"identifiers": [{"value": text}]}


def _boxes(span: DateSpan) -> list[str]:
    """Only what the span says: of a month no day, of a year no month."""
    first, last = span.first, span.last
    day = str(first.day) if first == last else ""
    month = str(first.month) if first.month == last.month else ""
    return [day, month, str(first.year)]


def _is_name(word: str) -> bool:
    return any(c.isalpha() for c in word)


def _names(words: list[str]) -> dict[str, str]:
    family, _, given = " ".join(words).replace(",", " ").partition(" ")
    return (
        {"family_name": _capitalised(family), "given_name": _capitalised(given)} if family else {}
    )


def _capitalised(name: str) -> str:
    return name.title() if name == name.lower() else name
