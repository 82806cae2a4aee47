"""What a spreadsheet shows of a number: `001-23-4567` of 1234567, and the day of 30756."""

import re
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal

# Numbers of built-in formats that show a date or a time; 27 to 36 and 50 to 58 are East Asian.
_BUILT_IN_DATES = {*range(14, 23), *range(27, 37), *range(45, 48), *range(50, 59)}
_MONTH_FORMAT = 17  # What a spreadsheet chooses for "March 1984".
_QUOTED = re.compile(r'"[^"]*"|\\.|_.|\*.', re.DOTALL)
_BRACKETS = re.compile(r"\[([^\]]*)\]")
_CONDITION = re.compile(r"(<=|>=|<>|<|>|=)\s*(-?\d+(?:\.\d+)?)$")
_TOKEN = re.compile(r'"(?P<quoted>[^"]*)"|\\(?P<escaped>.)|[_*].|(?P<other>.)', re.DOTALL)
_LITERALS = frozenset(" -()+:!^&'~{}<>=$")
MAX_FORMAT = 255  # Excel's own limit in characters.
_LAST_DAY = 2_958_465  # 31 December 9999 as Excel counts.
_FAKE_DAY = 60  # Excel has a 29 February 1900, which never was.
_FAKE_DAY_TEXT = "1900-02-29"  # The check of the row refuses it.


@dataclass(frozen=True)
class NumberFormat:
    """How the numbers of a style are shown."""

    code: str = "General"
    is_date: bool = False

    @property
    def smallest_part(self) -> str:
        """What a format of dates shows at least: `day`, `month` or `year`."""
        shown = set(_BRACKETS.sub("", _QUOTED.sub("", self.code)).lower())
        if not shown & set("yeg") or shown & set("dhs"):
            return "day"
        return "month" if "m" in shown else "year"

    def shown(self, number: Decimal) -> str:
        """Returns the digits and signs that a whole number is shown with; "" for plain digits."""
        return _masked(self.code, number)


def number_format(number: int, code: str | None) -> NumberFormat:
    """Returns the format with this number, and with this code if the workbook defines it."""
    if code is None:
        if number not in _BUILT_IN_DATES:
            return NumberFormat()
        return NumberFormat("mmm-yy" if number == _MONTH_FORMAT else "d/m/yy", is_date=True)
    code = code[:MAX_FORMAT]
    plain = _BRACKETS.sub(_keep_elapsed, _QUOTED.sub("", code)).split(";")[0].lower()
    if plain.strip() in ("general", "standard"):
        return NumberFormat()
    has_digits = re.search(r"[0#?]", re.sub(r"(?<=s)[.,]0+", "", plain))
    is_date = "general" not in plain and not has_digits and bool(re.search(r"[dmyhseg]", plain))
    return NumberFormat(code, is_date)


def _keep_elapsed(found: re.Match[str]) -> str:
    """Keeps `[h]`, an hour; drops colours, conditions and languages."""
    text = found[1].lower()
    return text if text in {"h", "hh", "m", "mm", "s", "ss"} else ""


def date_text(number: Decimal, shown: NumberFormat, *, counts_from_1904: bool) -> str:
    """Returns the day of a spreadsheet's number in ISO form, with its time unless it is midnight.

    Of a first day in a format without days only the month or the year was typed, and is returned.
    A number that is no day stays as it is.
    """
    if not 0 <= number <= _LAST_DAY:
        return str(number)
    days, seconds = int(number), round(number % 1 * 86_400)
    if days == _FAKE_DAY and not counts_from_1904:
        return _FAKE_DAY_TEXT
    if not days and not counts_from_1904:
        return (datetime.min + timedelta(seconds=seconds)).time().isoformat()  # noqa: DTZ901 - a time of day alone
    first = date(1904, 1, 1) if counts_from_1904 else date(1899, 12, 30)
    if not counts_from_1904 and days < _FAKE_DAY:
        days += 1
    try:
        moment = datetime.combine(first, time()) + timedelta(days=days, seconds=seconds)
    except OverflowError:
        return str(number)
    if moment.time() != time():
        return moment.isoformat(" ", "seconds")
    text = moment.date().isoformat()
    part = shown.smallest_part
    if part == "year":
        return text.removesuffix("-01-01")
    return text.removesuffix("-01") if part == "month" else text


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
