"""What a spreadsheet shows of a number: `001-23-4567` of 1234567, and the day of 30756."""

import re
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal

# Numbers of built-in formats that show a date or a time; 27 to 36 and 50 to 58 are East Asian.
_BUILT_IN_DATES = {*range(14, 23), *range(27, 37), *range(45, 48), *range(50, 59)}
_QUOTED = re.compile(r'"[^"]*"|\\.|_.|\*.', re.DOTALL)
_BRACKETS = re.compile(r"\[([^\]]*)\]")
_CONDITION = re.compile(r"(<=|>=|<>|<|>|=)\s*(-?\d+(?:\.\d+)?)$")
_TOKEN = re.compile(r'"(?P<quoted>[^"]*)"|\\(?P<escaped>.)|[_*].|(?P<other>.)', re.DOTALL)
_LITERALS = frozenset(" -()+:!^&'~{}<>=$")
MAX_FORMAT = 255  # Excel's own limit in characters.
_LAST_DAY = 2_958_465  # 31 December 9999 as Excel counts.
_FAKE_DAY = 60  # Excel has a 29 February 1900, which never was.


@dataclass(frozen=True)
class NumberFormat:
    """How the numbers of a style are shown."""

    code: str = "General"
    is_date: bool = False

    def shown(self, number: Decimal) -> str:
        """Returns the digits and signs that a whole number is shown with; "" for plain digits."""
        return _masked(self.code, number)


def number_format(number: int, code: str | None) -> NumberFormat:
    """Returns the format with this number, and with this code if the workbook defines it."""
    if code is None:
        return NumberFormat(is_date=number in _BUILT_IN_DATES)
    code = code[:MAX_FORMAT]
    plain = _BRACKETS.sub(_keep_elapsed, _QUOTED.sub("", code)).split(";")[0].lower()
    has_digits = re.search(r"[0#?]", plain)
    is_date = "general" not in plain and bool(re.search(r"[dmyhs]", plain))
    return NumberFormat(code, is_date and not (has_digits and not re.search(r"s\.?0|y|d", plain)))


def _keep_elapsed(found: re.Match[str]) -> str:
    """Keeps `[h]`, an hour; drops colours, conditions and languages."""
    text = found[1].lower()
    return text if text in {"h", "hh", "m", "mm", "s", "ss"} else ""


def date_text(number: Decimal, *, counts_from_1904: bool) -> str:
    """Returns the day of a spreadsheet's number in ISO form, with its time unless it is midnight.

    A number that is no day stays as it is.
    """
    if not 0 <= number <= _LAST_DAY:
        return str(number)
    days, seconds = int(number), round(number % 1 * 86_400)
    if not days and not counts_from_1904:
        return (datetime.min + timedelta(seconds=seconds)).time().isoformat()  # noqa: DTZ901 - a time of day alone
    first = date(1904, 1, 1) if counts_from_1904 else date(1899, 12, 30)
    if not counts_from_1904 and days < _FAKE_DAY:
        days += 1
    try:
        moment = datetime.combine(first, time()) + timedelta(days=days, seconds=seconds)
    except OverflowError:
        return str(number)
    is_midnight = moment.time() == time()
    return moment.date().isoformat() if is_midnight else moment.isoformat(" ", "seconds")


def _masked(code: str, number: Decimal) -> str:
    section = _section_for(code, number)
    if section is None or number < 0 or number != int(number):
        return ""
    parts = _mask_parts(section)
    if not parts or not any(kind == "digit" for kind, _ in parts):
        return ""
    if all(part == ("digit", "#") for part in parts):
        return ""
    return _fill(parts, str(int(number)))


def _section_for(code: str, number: Decimal) -> str | None:
    """Returns the section of the format that is meant for a number that is not negative."""
    sections = re.split(r';(?=(?:[^"]*"[^"]*")*[^"]*$)', code)
    conditions = [_condition(section) for section in sections]
    for section, condition in zip(sections, conditions, strict=True):
        if condition and _holds(condition, number):
            return section
    if any(conditions):
        others = [s for s, c in zip(sections, conditions, strict=True) if not c]
        return others[0] if others else None
    return sections[2] if len(sections) > 2 and not number else sections[0]


def _condition(section: str) -> tuple[str, Decimal] | None:
    for text in _BRACKETS.findall(section):
        if found := _CONDITION.match(text):
            return found[1], Decimal(found[2])
    return None


def _holds(condition: tuple[str, Decimal], number: Decimal) -> bool:
    sign, bound = condition
    return {
        "<=": number <= bound,
        ">=": number >= bound,
        "<": number < bound,
        ">": number > bound,
        "=": number == bound,
        "<>": number != bound,
    }[sign]


def _mask_parts(section: str) -> list[tuple[str, str]] | None:
    """Returns digits and literal texts; None for a format that shows an amount and no code."""
    parts: list[tuple[str, str]] = []
    for token in _TOKEN.finditer(_BRACKETS.sub("", section)):
        literal = token["quoted"] if token["quoted"] is not None else token["escaped"]
        character = token["other"]
        if literal is not None:
            parts.append(("text", literal))
        elif character is not None and character in "0#?":
            parts.append(("digit", character))
        elif character is not None and character in _LITERALS:
            parts.append(("text", character))
        elif character is not None:
            return None
    return parts


def _fill(parts: list[tuple[str, str]], digits: str) -> str:
    """Puts the digits into their places from the right; the first place takes what is left."""
    places = [index for index, (kind, _) in enumerate(parts) if kind == "digit"]
    zeros_from = next((index for index in places if parts[index][1] == "0"), len(parts))
    left = list(digits.lstrip("0"))
    shown = [text for _, text in parts]
    for index in reversed(places):
        if left:
            shown[index] = "".join(left) if index == places[0] else left.pop()
            if index == places[0]:
                left = []
        else:
            shown[index] = "0" if index >= zeros_from else ""
    return "".join(shown)
