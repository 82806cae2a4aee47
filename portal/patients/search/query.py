"""Query interpretations: what a search text may mean, judged by its shape.

Each interpretation finds patients, and says why they match.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import reduce
from itertools import permutations
from operator import and_, or_
from uuid import UUID

import phonenumbers
from django.db.models import Case, F, Q, TextField, Value, When
from django.db.models.expressions import Combinable
from django.db.models.functions import Collate, Concat, Lower, Replace, Reverse, Upper
from django.db.models.lookups import GreaterThanOrEqual, LessThan

from portal.patients.extensions import Extension, extensions
from portal.patients.models import Patient, PatientIdentifier
from portal.patients.names.vocabulary import name_query
from portal.patients.normalize import fold, identifier_value, split_characters, valid_number
from portal.patients.reference.identifier_systems import system_name
from portal.patients.search import tuning
from portal.patients.search.dates import DateSpan, parse_date_span
from portal.patients.search.typed_text import read_typed, without_titles

# The order of names: along the index, or of an expression without an index. With the latter the
# database first finds the patients, then sorts them: right where a few are found among many.
INDEXED_ORDER = F("sort_key")
SORTED_ORDER = Concat("sort_key", Value(""), output_field=TextField())
LAST_CHARACTER = "\U0010ffff"  # sorts after every other character
END_OF_WORD = "!"  # sorts after a space and before every letter

# Digits with what is put between them; after them an extension or letters that stand for digits.
_PHONE = re.compile(r"[+(]?[\d\s()./+-]{3,45}((x|ext\.?|#)\s?\d{1,6}|[a-z]{3,10})?$", re.IGNORECASE)
_POSTAL_CODE = re.compile(r"(?=.*\d)[A-Z\d][A-Z\d-]{2,9}$")
_EMAIL = re.compile(r"[^\s@]+@[^\s@]*$")


@dataclass(frozen=True)
class QueryInterpretation:
    """One thing that the text may mean: the patients it finds, their order, and the reason shown.

    `key` names the interpretation in cursors.
    """

    key: str
    condition: Q
    reason: Callable[[Patient], str]
    order: Combinable = SORTED_ORDER


@dataclass(frozen=True)
class TypedName:
    """The words of a typed name, and what narrows it: a date of birth or the end of a phone.

    `narrowing_reason` says the latter in words.
    """

    words: list[str]
    narrowed_by: Q
    narrowing_reason: str = ""


def interpret_query(text: str) -> list[QueryInterpretation]:
    """Returns every interpretation that the shape of the text allows, the most exact first.

    There are none for a text without letters and digits; an empty text means all patients.
    """
    is_empty, text = not text.strip(), read_typed(text)
    if is_empty:
        return [QueryInterpretation("", Q(), lambda _: "", INDEXED_ORDER)]
    if _EMAIL.match(text):
        return [_as_email(text)]
    exact = [*_as_mrn(text), *_as_identifier(text), *_as_extension_number(text)]
    names = _as_name(text)
    span = parse_date_span(text)
    if span and not text.isdigit():
        return [*exact, _as_birth(span), *names]
    births = [_as_birth(span)] if span else []
    tails = [*_as_phone(text), *_as_mrn_tail(text), *_as_identifier_tail(text)]
    return [*exact, *tails, *births, *_as_postal_code(text), *names]


def parse_name(text: str) -> TypedName | None:
    """Returns the text as a name, narrowed by a date or number before or after it.

    Returns None for a text without letters.
    """
    text = read_typed(text)
    parts = [part.strip(",;") for part in text.split()]
    for name_parts, rest in split_ends(parts):
        narrowing = _narrowing(rest) if _has_letters("".join(name_parts)) else None
        if narrowing:
            return TypedName(_name_words(" ".join(name_parts)), *narrowing)
    words = _name_words(text)
    return None if all(word.isdigit() for word in words) else TypedName(words, Q())


def _name_words(text: str) -> list[str]:
    return without_titles(fold(text).split())[: tuning.SEARCH.max_name_words]


def _has_letters(text: str) -> bool:
    return any(character.isalpha() for character in text)


def split_ends(words: list[str]) -> Iterator[tuple[list[str], str]]:
    """Yields words and the text after them, then words and the text before; longest text first."""
    for at in range(1, len(words)):
        yield words[:at], " ".join(words[at:])
    for at in range(len(words) - 1, 0, -1):
        yield words[at:], " ".join(words[:at])


def _narrowing(text: str) -> tuple[Q, str] | None:
    if span := parse_date_span(text):
        return _birth_condition(span), span.reason
    if phone := _as_phone(text):
        return phone[0].condition, phone[0].reason(Patient())
    return None


def prefix_range(field: str, prefix: str, *, is_whole: bool = False) -> Q:
    """Returns the condition that the field begins so, as a range that an index on it can find.

    With `is_whole`, the last word of the prefix has to end there.
    """
    end = prefix + (END_OF_WORD if is_whole else LAST_CHARACTER)
    return Q(**{f"{field}__gte": prefix, f"{field}__lt": end})


def _as_mrn(text: str) -> list[QueryInterpretation]:
    digits = re.sub(r"[\s-]", "", text)
    if not re.fullmatch(r"\d{8,20}", digits):
        return []
    found = [QueryInterpretation("mrn", Q(mrn=digits), lambda _: "MRN")]
    merged_records = Patient.objects.filter(mrn=digits, merged_into__isnull=False)
    if merged := merged_records.select_related("merged_into").first():
        found.append(_as_merged_record(merged))
    return found


def _as_merged_record(merged: Patient) -> QueryInterpretation:
    """Finds the survivor by the number of the merged record, which is on old cards and letters."""
    reason = f"Its record {merged.mrn} was merged into this one"
    return QueryInterpretation("merged", Q(pk=merged.survivor.pk), lambda _: reason)


def _as_mrn_tail(text: str) -> list[QueryInterpretation]:
    digits = re.sub(r"[\s-]", "", text)
    if not re.fullmatch(rf"\d{{{tuning.SEARCH.min_mrn_tail_length},20}}", digits):
        return []
    start, tail = digits[::-1], Collate(Reverse("mrn"), "C")
    end = Value(start + LAST_CHARACTER)
    condition = Q(GreaterThanOrEqual(tail, Value(start))) & Q(LessThan(tail, end))
    return [QueryInterpretation("mrn-tail", condition, lambda _: f"MRN ends in {digits}")]


def _as_identifier(text: str) -> list[QueryInterpretation]:
    value = identifier_value(text)
    if len(value) < tuning.SEARCH.min_tail_length or not any(map(str.isdigit, value)):
        return []
    holders = PatientIdentifier.objects.filter(value=value).values("patient_id")

    def reason(patient: Patient) -> str:
        for identifier in patient.identifiers.all():
            if identifier.value == value:
                return system_name(identifier.system)
        return "Identifier"

    return [QueryInterpretation("identifier", Q(pk__in=holders), reason)]


def _as_identifier_tail(text: str) -> list[QueryInterpretation]:
    value = identifier_value(text)
    is_mostly_digits = sum(map(str.isdigit, value)) * 2 >= len(value)
    if len(value) < tuning.SEARCH.min_tail_length or not is_mostly_digits:
        return []
    identifiers = PatientIdentifier.objects.annotate(tail=Collate(Reverse("value"), "C"))
    holders = identifiers.filter(prefix_range("tail", value[::-1])).values("patient_id")

    def reason(patient: Patient) -> str:
        for identifier in patient.identifiers.all():
            if identifier.value.endswith(value):
                return f"{system_name(identifier.system)} ends in {value}"
        return "Identifier"

    return [QueryInterpretation("identifier-tail", Q(pk__in=holders), reason)]


def _as_phone(text: str) -> list[QueryInterpretation]:
    """Finds the whole number or its end, however it is spaced, with or without country code."""
    if not _PHONE.match(text):
        return []
    number, digits = valid_number(text), re.sub(r"\D", "", text)
    if not number and (
        len(digits) < tuning.SEARCH.min_tail_length or re.search("[a-z]", text, re.I)
    ):
        return []
    min_whole = tuning.SEARCH.min_whole_phone_length
    if number:
        tail = phonenumbers.national_significant_number(number)
    else:
        tail = digits.lstrip("0") if len(digits) >= min_whole else digits
    reason = f"Phone ends in {tail}" if len(tail) < min_whole else "Phone"
    condition = prefix_range("phone_tail", tail[::-1])
    second = prefix_range("second_phone_tail", tail[::-1]) & ~Q(second_phone_tail="")
    return [QueryInterpretation("phone", condition | second, lambda _: reason)]


def _as_email(text: str) -> QueryInterpretation:
    """Finds the whole address or its beginning."""
    address = Collate(Lower("email"), "C")
    return QueryInterpretation("email", _begins(address, text.lower()), lambda _: "E-mail")


def _as_postal_code(text: str) -> list[QueryInterpretation]:
    """Finds a whole code however it is spaced, and 02110-1234 by 02110."""
    code = text.replace(" ", "").upper()
    if not _POSTAL_CODE.match(code):
        return []
    stored = Collate(Upper(Replace("postal_code", Value(" "), Value(""))), "C")
    is_whole = Q(GreaterThanOrEqual(stored, Value(code))) & Q(LessThan(stored, Value(f"{code}!")))
    condition = is_whole | _begins(stored, f"{code}-")
    return [QueryInterpretation("postal", condition, lambda _: "Postal code")]


def _begins(expression: Combinable, prefix: str) -> Q:
    end = Value(prefix + LAST_CHARACTER)
    return Q(GreaterThanOrEqual(expression, Value(prefix))) & Q(LessThan(expression, end))


def _as_extension_number(text: str) -> Iterator[QueryInterpretation]:
    """Finds by a number that another area gives, as billing gives accounts."""
    for extension in extensions():
        if extension.find_by_number and (ids := extension.find_by_number(text)):
            yield _found_by(extension, ids)


def _found_by(extension: Extension, ids: Sequence[UUID]) -> QueryInterpretation:
    key, condition = f"number-{extension.name}", Q(pk__in=ids)
    return QueryInterpretation(key, condition, lambda _: extension.number_label)


def _as_birth(span: DateSpan) -> QueryInterpretation:
    return QueryInterpretation("born", _birth_condition(span), lambda _: span.reason)


def _birth_condition(span: DateSpan) -> Q:
    return Q(date_of_birth__gte=span.first, date_of_birth__lte=span.last)


def _as_name(text: str) -> Iterator[QueryInterpretation]:
    name = parse_name(text)
    if name is None or not name.words:
        return
    words = name.words
    order = SORTED_ORDER if name.narrowed_by else INDEXED_ORDER

    def interpretation(key: str, condition: Q, order: Combinable = order) -> QueryInterpretation:
        narrowed = condition & name.narrowed_by
        return QueryInterpretation(
            key, narrowed, lambda patient: _name_reason(patient, name), order
        )

    rotations = [" ".join(words[at:] + words[:at]) for at in range(len(words))]
    for at, prefix in enumerate(dict.fromkeys([*rotations, "".join(words)])):
        starts = prefix_range("sort_key", prefix)
        if at < tuning.SEARCH.orders_by_accent:
            yield interpretation(f"typed{at or ''}", starts & _has_accents_of(text, words))
        yield interpretation(f"name{at or ''}", starts)
    max_initial = tuning.SEARCH.max_initial_length
    if len(words) == 1:
        yield interpretation("given", prefix_range("given_key", words[0]), F("given_key"))
    elif len(words) == 2 and all(len(word) <= max_initial for word in words):
        # PostgreSQL knows the size of two ranges, and walks the list until a page is full.
        for at, (family, given) in enumerate(permutations(words)):
            initials = prefix_range("sort_key", family) & prefix_range("given_key", given)
            yield interpretation(f"initials{at}", initials)
    beginnings = Q(name_words=name_query([[f"{word}*"] for word in words]))
    yield interpretation("any", beginnings, _listed_names_first(words))
    yield from _as_parted_otherwise(name)


def _has_accents_of(text: str, words: list[str]) -> Q:
    """Returns the condition that the names have these words with the accents that were typed."""
    condition = Q()
    for typed in re.split(r"[\s,;()]+", text):
        if fold(typed) in words:
            condition &= Q(family_name__icontains=typed) | Q(given_name__icontains=typed)
    return condition


def _as_parted_otherwise(name: TypedName) -> Iterator[QueryInterpretation]:
    """Finds `de la cruz` in Delacruz, 小明 in 王小明, and `jane a smith` in Jane Smith."""
    words = name.words

    def interpretation(key: str, condition: Q, reason: str) -> QueryInterpretation:
        if name.narrowing_reason:
            reason = f"{reason}, {name.narrowing_reason}"
        return QueryInterpretation(key, condition & name.narrowed_by, lambda _: reason)

    if joined := _with_words_joined(words):
        condition = reduce(or_, (Q(name_words=name_query(groups)) for groups in joined))
        yield interpretation("joined", condition, "Name")
    characters = split_characters(" ".join(words)).split()
    if len(characters) > len(words):
        condition = Q(name_words=name_query([[character] for character in characters]))
        yield interpretation("characters", condition, "Name")
    if len(words) >= tuning.SEARCH.min_words_with_middle:
        middle = " ".join(words[1:-1])
        condition = prefix_range("sort_key", f"{words[-1]} {words[0]}", is_whole=True)
        yield interpretation("middle", condition, f"Name without {middle.title()}")
        if len(words[-1]) == 1:
            condition = prefix_range("sort_key", " ".join(words[:-1]), is_whole=True)
            yield interpretation("initial", condition, f"Name without {words[-1].upper()}")


def _with_words_joined(words: list[str]) -> list[list[list[str]]]:
    """Returns the words with two or three neighbours as one, as groups for `name_query`."""
    queries = []
    for size in tuning.SEARCH.joined_neighbours:
        for at in range(len(words) - size + 1):
            parts = [*words[:at], "".join(words[at : at + size]), *words[at + size :]]
            queries.append([[f"{part}*"] for part in parts])
    return queries


def _listed_names_first(words: list[str]) -> Combinable:
    """Orders patients whose family and given name have all words before those with another name."""
    has_word = [Q(sort_key__startswith=word) | Q(sort_key__contains=f" {word}") for word in words]
    group = Case(When(reduce(and_, has_word), then=Value("0")), default=Value("1"))
    return Concat(group, "sort_key", output_field=TextField())


def _name_reason(patient: Patient, name: TypedName) -> str:
    """Returns `Name`, or the middle or preferred name, which lists do not show beside it."""
    reason = "Name"
    listed = _words_of(patient.family_name, patient.given_name)
    if not _has_beginnings(name.words, listed) and "".join(name.words) not in listed:
        if _has_beginnings(name.words, f"{listed} {_words_of(patient.middle_name)}"):
            reason = f"Middle name {patient.middle_name}"
        else:
            reason = f"Also called {patient.preferred_name}"
    return f"{reason}, {name.narrowing_reason}" if name.narrowing_reason else reason


def _has_beginnings(words: list[str], names: str) -> bool:
    return all(f" {word}" in f" {names}" for word in words)


def _words_of(*names: str) -> str:
    """Returns the folded words of the names, each name as one word, and all as one word."""
    folded = [fold(name) for name in names]
    joined = [name.replace(" ", "") for name in folded]
    return " ".join([*folded, *joined, "".join(joined)])
