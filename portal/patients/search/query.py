"""What the text in the search box may mean, by its shape: each reading finds patients and says why they match."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import reduce
from itertools import permutations
from operator import and_

import phonenumbers
from django.conf import settings
from django.db.models import Case, F, Q, TextField, Value, When
from django.db.models.expressions import Combinable
from django.db.models.functions import Collate, Concat, Reverse
from django.db.models.lookups import GreaterThanOrEqual, LessThan

from portal.patients.models import Patient, PatientIdentifier
from portal.patients.names.vocabulary import name_query
from portal.patients.normalize import fold, identifier_value
from portal.patients.reference.identifier_systems import system_name
from portal.patients.search.dates import DateSpan, parse_date_span

SHORTEST_TAIL = 3
SHORTEST_RECORD_TAIL = (
    4  # Three digits end a thousandth of all: those hits would only hide the ones by phone.
)
MOST_WORDS = 6
INITIALS = 2  # Letters of a word that begins so many names that sorting them all would take long.
_NUMBER = re.compile(r"[+(]?[\d\s()./+-]{3,25}$")
_WHOLE = (
    7  # Digits of a number that one may take for the whole of it, without the code of a country.
)
LISTED, AFTER_FINDING = F("sort_key"), Concat("sort_key", Value(""), output_field=TextField())
LAST = "\U0010ffff"  # Behind every other character in the order of bytes.


@dataclass(frozen=True)
class QueryInterpretation:
    """One thing that the text may mean: whom it finds, in which order, and the reason that a hit is shown with.

    `key` names it in cursors. An `order` that is a column of an index is right for many hits and for a stretch of it.
    The others are sorted after they are found: along the index, a few would be looked for among all patients.
    """

    key: str
    condition: Q
    reason: Callable[[Patient], str]
    order: Combinable = AFTER_FINDING


@dataclass(frozen=True)
class TypedName:
    """The words of a name, and what else was typed that narrows it: a date of birth or the end of a phone number."""

    words: list[str]
    narrowed_by: Q
    also: str = ""


def interpret_query(text: str) -> list[QueryInterpretation]:
    """Every reading that the shape of the text allows, the most exact first; none without letters or digits."""
    text = " ".join(text.split())
    if not text:
        return [QueryInterpretation("", Q(), lambda _: "", LISTED)]
    span = parse_date_span(text)
    is_date = span is not None and not text.isdigit()
    born = [_born(span)] if span else []
    exact = [*_as_record_number(text), *_as_identifier(text)]
    tails = (
        []
        if is_date
        else [*_as_phone(text), *_as_record_number_tail(text), *_as_identifier_tail(text)]
    )
    return [*exact, *(born + tails if is_date else tails + born), *_as_name(text)]


def parse_name(text: str) -> TypedName | None:
    """The text as a name; with a date or number before or behind it, that narrows the name."""
    parts = [part.strip(",;") for part in text.split()]
    for rest, other in _ends(parts):
        if any(any(c.isalpha() for c in part) for part in rest) and (
            narrowing := _narrowing(other)
        ):
            return TypedName(fold(" ".join(rest)).split()[:MOST_WORDS], *narrowing)
    words = fold(text).split()[:MOST_WORDS]
    return None if all(word.isdigit() for word in words) else TypedName(words, Q())


def prefix_range(field: str, start: str, *, whole: bool = False) -> Q:
    """Texts that begin so, as a range that the index on the field finds; with `whole`, the last word ends there."""
    return Q(**{f"{field}__gte": start, f"{field}__lt": start + ("!" if whole else LAST)})


def _as_record_number(text: str) -> list[QueryInterpretation]:
    digits = re.sub(r"[\s-]", "", text)
    if not re.fullmatch(r"\d{8,20}", digits):
        return []
    merged = (
        Patient.objects.filter(mrn=digits, merged_into__isnull=False)
        .select_related("merged_into")
        .first()
    )
    reading = QueryInterpretation("mrn", Q(mrn=digits), lambda _: "MRN")
    return [reading, _as_merged(merged)] if merged else [reading]


def _as_merged(merged: Patient) -> QueryInterpretation:
    """Whoever holds an old card or letter asks by the number of the record that is gone."""
    words = f"Its record {merged.mrn} was merged into this one"
    return QueryInterpretation("merged", Q(pk=merged.survivor.pk), lambda _: words)


def _as_record_number_tail(text: str) -> list[QueryInterpretation]:
    digits = re.sub(r"[\s-]", "", text)
    if not re.fullmatch(rf"\d{{{SHORTEST_RECORD_TAIL},20}}", digits):
        return []
    start, tail = digits[::-1], Collate(Reverse("mrn"), "C")
    condition = Q(GreaterThanOrEqual(tail, Value(start))) & Q(LessThan(tail, Value(start + LAST)))
    return [QueryInterpretation("mrn-tail", condition, lambda _: f"MRN ends in {digits}")]


def _as_identifier(text: str) -> list[QueryInterpretation]:
    value = identifier_value(text)
    if len(value) < SHORTEST_TAIL or not any(c.isdigit() for c in value):
        return []
    held = PatientIdentifier.objects.filter(value=value).values("patient_id")
    return [
        QueryInterpretation("identifier", Q(pk__in=held), lambda patient: _system(patient, value))
    ]


def _as_phone(text: str) -> list[QueryInterpretation]:
    """The whole number or its end, however it is spaced, with or without the code of the country."""
    digits = re.sub(r"\D", "", text)
    if not _NUMBER.match(text) or len(digits) < SHORTEST_TAIL:
        return []
    tail = _national(text) or (digits.lstrip("0") if len(digits) >= _WHOLE else digits)
    words = f"Phone ends in {tail}" if len(tail) < _WHOLE else "Phone"
    return [QueryInterpretation("phone", prefix_range("phone_tail", tail[::-1]), lambda _: words)]


def _as_identifier_tail(text: str) -> list[QueryInterpretation]:
    value = identifier_value(text)
    if len(value) < SHORTEST_TAIL or sum(c.isdigit() for c in value) * 2 < len(value):
        return []
    held = PatientIdentifier.objects.annotate(tail=Collate(Reverse("value"), "C")).filter(
        prefix_range("tail", value[::-1])
    )
    return [
        QueryInterpretation(
            "identifier-tail",
            Q(pk__in=held.values("patient_id")),
            lambda patient: _system(patient, value, tail=True),
        )
    ]


def _system(patient: Patient, value: str, *, tail: bool = False) -> str:
    for one in patient.identifiers.all():
        if one.value == value or (tail and one.value.endswith(value)):
            return f"{system_name(one.system)} ends in {value}" if tail else system_name(one.system)
    return "Identifier"


def _born(span: DateSpan) -> QueryInterpretation:
    condition = Q(date_of_birth__gte=span.first, date_of_birth__lte=span.last)
    return QueryInterpretation("born", condition, lambda _: span.said)


def _as_name(text: str) -> list[QueryInterpretation]:
    name = parse_name(text)
    if name is None or not name.words:
        return []
    orders = [name.words[at:] + name.words[:at] for at in range(len(name.words))]
    whole = list(dict.fromkeys([*(" ".join(words) for words in orders), "".join(name.words)]))
    along = AFTER_FINDING if name.narrowed_by else LISTED

    def reading(key: str, condition: Q, order: Combinable = along) -> QueryInterpretation:
        return QueryInterpretation(
            key, condition & name.narrowed_by, lambda patient: _which_name(patient, name), order
        )

    found = [
        reading(f"name{at or ''}", prefix_range("sort_key", start))
        for at, start in enumerate(whole)
    ]
    if len(name.words) == 1:
        found.append(reading("given", prefix_range("given_key", name.words[0]), F("given_key")))
    elif len(name.words) == 2 and all(len(word) <= INITIALS for word in name.words):
        found += [
            reading(f"initials{at}", _initials(*pair))
            for at, pair in enumerate(permutations(name.words))
        ]
    beginnings = Q(name_words=name_query([[f"{word}*"] for word in name.words]))
    return [*found, reading("any", beginnings, _aside_last(name.words))]


def _aside_last(words: list[str]) -> Combinable:
    """Who is listed under all of these words, then who has some as a middle or preferred name."""
    listed = reduce(
        and_, (Q(sort_key__startswith=word) | Q(sort_key__contains=f" {word}") for word in words)
    )
    return Concat(
        Case(When(listed, then=Value("0")), default=Value("1")),
        "sort_key",
        output_field=TextField(),
    )


def _initials(family: str, given: str) -> Q:
    """Two ranges whose sizes PostgreSQL knows: it then walks the list until a page is full."""
    return prefix_range("sort_key", family) & prefix_range("given_key", given)


def _which_name(patient: Patient, name: TypedName) -> str:
    """Name, or the name that the list does not show as such: a middle or a preferred one."""
    reasons = ["Name"]
    plain = fold(f"{patient.family_name} {patient.given_name}")
    if not _all_begin(name.words, plain) and "".join(name.words) not in plain:
        if _all_begin(name.words, f"{plain} {fold(patient.middle_name)}"):
            reasons = [f"Middle name {patient.middle_name}"]
        else:
            reasons = [f"Also called {patient.preferred_name}"]
    return ", ".join([*reasons, *([name.also] if name.also else [])])


def _all_begin(words: list[str], names: str) -> bool:
    return all(f" {word}" in f" {names}" for word in words)


def _ends(parts: list[str]) -> list[tuple[list[str], str]]:
    """The parts without some at either end, and those: the longest cut first."""
    behind = [(parts[:at], " ".join(parts[at:])) for at in range(1, len(parts))]
    before = [(parts[at:], " ".join(parts[:at])) for at in range(len(parts) - 1, 0, -1)]
    return [*behind, *before]


def _narrowing(text: str) -> tuple[Q, str] | None:
    if span := parse_date_span(text):
        return Q(date_of_birth__gte=span.first, date_of_birth__lte=span.last), span.said
    if phone := _as_phone(text):
        return phone[0].condition, phone[0].reason(Patient())
    return None


def _national(text: str) -> str:
    """The digits behind the code of the country or the leading zero, where the text is a whole, valid number."""
    try:
        number = phonenumbers.parse(text, settings.DEFAULT_COUNTRY)
    except phonenumbers.NumberParseException:
        return ""
    return (
        phonenumbers.national_significant_number(number)
        if phonenumbers.is_valid_number(number)
        else ""
    )
