"""Validation of details: the codes and messages that form, API and imports share."""

import random
import sys
import unicodedata
from datetime import date

import pytest
from django.db import connection
from django.utils import timezone

from portal.errors import InvalidInput
from portal.patients.models import Patient
from portal.patients.normalize import (
    e164,
    fold,
    identifier_value,
    is_mrn,
    name_key,
    valid_number,
)
from portal.patients.validation import validate_details

JANE = {"family_name": "Example"}


def problems(**raw) -> dict[str, str]:
    with pytest.raises(InvalidInput) as caught:
        validate_details({**JANE, **raw})
    return {problem.pointer: problem.code for problem in caught.value.errors}


def test_a_date_may_be_today_and_not_tomorrow(monkeypatch):
    monkeypatch.setattr(timezone, "localdate", lambda: date(2026, 4, 5))
    assert validate_details({**JANE, "date_of_birth": "2026-04-05"})["date_of_birth"] == date(
        2026, 4, 5
    )
    assert problems(date_of_birth="2026-04-06") == {"date_of_birth": "in-the-future"}


def test_all_faults_are_named_at_once():
    found = problems(email="x", sex="f", phone="no", country="U1", nonsense=1, city="\x00", race=5)
    assert found == {
        "nonsense": "unknown-field",
        "email": "bad-email",
        "sex": "not-a-choice",
        "phone": "bad-phone",
        "country": "bad-country",
        "city": "control-characters",
        "race": "not-text",
    }


def test_a_patient_needs_a_name():
    with pytest.raises(InvalidInput):
        validate_details({"family_name": "  ", "city": "Leeds"})
    assert validate_details({"given_name": "Cher"})["given_name"] == "Cher"
    assert validate_details({"city": "Leeds"}, partial=True) == {"city": "Leeds"}


def test_text_is_trimmed_and_composed():
    assert (
        validate_details({"family_name": "  Mu\u0308ller   Meier "})["family_name"]
        == "Müller Meier"
    )


def test_a_death_before_the_birth_is_refused():
    assert problems(date_of_birth="2000-01-02", deceased_on="2000-01-01") == {
        "deceased_on": "before-birth"
    }


def test_a_phone_that_is_not_valid_is_kept_as_typed():
    details = validate_details({**JANE, "phone": "555-978-4581"})
    assert (details["phone"], details["phone_e164"]) == ("555-978-4581", "")
    assert e164("020 7946 0958", "GB") == "+442079460958"


def test_identifiers_are_normalised_and_kept_once():
    given = [{"system": "ssn", "value": v} for v in ("999-11-2222", "999 11 2222")]
    assert validate_details({**JANE, "identifiers": given})["identifiers"] == [
        {"system": "ssn", "value": "999112222"}
    ]


@pytest.mark.parametrize(
    "value",
    [
        "x",
        [1],
        [{"system": "ssn"}],
        [{"system": "", "value": "1"}],
        [{"system": "a", "value": "-"}],
    ],
)
def test_wrong_identifiers_are_refused(value):
    assert "identifiers" in problems(identifiers=value)


@pytest.mark.django_db
@pytest.mark.parametrize(
    "text",
    [
        "Müller-Lüdenscheidt",
        "O'Brien",
        "Фёдор",
        "ÅNGSTRÖM",
        "ẞtraße",
        "  山田 太郎 ",
        "İstanbul",
        "a_b",
        "राजेश शर्मा",
        "مُحَمَّد",
        "שָׁלוֹם",
        "ΠΑΠΑΔΟΠΟΥΛΟΣ",
        "ธนาคาร",
        "٣ III",
    ],
)
def test_python_and_sql_fold_names_alike(text):
    with connection.cursor() as cursor:
        cursor.execute("SELECT patients_fold(%s)", [text])
        assert cursor.fetchone()[0] == fold(text)


@pytest.mark.django_db
def test_python_and_sql_fold_every_character_alike():
    known = [
        chr(code)
        for code in range(1, sys.maxunicode)
        if unicodedata.category(chr(code)) not in {"Cn", "Cs", "Co"}
    ]
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT c, patients_fold('a' || c || 'b') FROM unnest(%s::text[]) AS c", [known]
        )
        assert [ascii(char) for char, folded in cursor if folded != fold(f"a{char}b")] == []


@pytest.mark.django_db
def test_python_and_sql_fold_characters_in_company_alike():
    """Each character after itself, at both ends, decomposed, and in words drawn at random."""
    known = [
        chr(code)
        for code in range(1, sys.maxunicode)
        if unicodedata.category(chr(code)) not in {"Cn", "Cs", "Co"}
    ]
    words = [char + char for char in known if not "\uac00" <= char <= "\ud7a3"]
    drawn = random.Random(11)
    likely = [char for char in known if ord(char) < 0x3200]
    for _ in range(20_000):
        word = "".join(drawn.choices(likely, k=drawn.randint(2, 9)))
        words += [word, unicodedata.normalize("NFD", word)]
    words += [f"{char}\u0301 {char}\u3005" for char in likely]
    with connection.cursor() as cursor:
        cursor.execute("SELECT w, patients_fold(w) FROM unnest(%s::text[]) AS w", [words])
        assert [ascii(word) for word, folded in cursor if folded != fold(word)] == []


@pytest.mark.django_db
def test_python_and_sql_have_one_key_of_any_name():
    drawn = random.Random(12)
    letters = "aeo '-.äłنعال王々김민アあกक्"
    names = ["".join(drawn.choices(letters, k=drawn.randint(0, 8))) for _ in range(4_000)]
    pairs = list(zip(names[::2], names[1::2], strict=True))
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT patients_name_key(f, g) FROM unnest(%s::text[], %s::text[]) AS n (f, g)",
            [names[::2], names[1::2]],
        )
        keys = [key for (key,) in cursor]
    # Names without a letter have no key to compare in Python; SQL keeps one that nobody asks for.
    assert [
        pair for pair, key in zip(pairs, keys, strict=True) if name_key(*pair) not in {key, ""}
    ] == []


@pytest.mark.django_db
def test_record_numbers_carry_a_check_digit_that_finds_slips():
    mrn = Patient.objects.create(family_name="Example").mrn
    assert is_mrn(mrn)
    swapped = mrn[:-2] + mrn[-1] + mrn[-2]
    assert swapped == mrn or not is_mrn(swapped)
    assert not any(is_mrn(mrn[:-1] + digit) for digit in "0123456789" if digit != mrn[-1])


def test_identifier_values_in_full_width_are_the_same_number():
    assert identifier_value("\uff11\uff12-3") == "123"


@pytest.mark.parametrize("name", ["\u200b", ".", "?", "- -", "\u2800", "🙂", "42"])
def test_a_name_without_a_letter_is_a_missing_name(name):
    assert problems(family_name=name) == {"family_name": "required"}
    assert validate_details({"family_name": name, "given_name": "Cher"})["given_name"] == "Cher"


def test_invisible_characters_are_taken_out_of_every_text():
    identifier = {"system": "insurance\u200b", "value": "AB\u200b12"}
    details = validate_details(
        {
            "family_name": "Or\u00admond",
            "city": "\u2066Leeds\u2069",
            "phone": "\u202d617 555 0177\u202c",
            "identifiers": [identifier],
        }
    )
    assert (details["family_name"], details["city"]) == ("Ormond", "Leeds")
    assert (details["phone"], details["phone_e164"]) == ("617 555 0177", "+16175550177")
    assert details["identifiers"] == [{"system": "insurance", "value": "AB12"}]


@pytest.mark.parametrize("part", ["system", "value"])
@pytest.mark.parametrize("damage", ["\x00", "\ud800"])
def test_a_damaged_identifier_is_refused(part, damage):
    identifier = {"system": "ssn", "value": "1234"}
    identifier[part] += damage
    assert problems(identifiers=[identifier]) == {"identifiers": "control-characters"}


def test_a_plain_number_is_understood_as_any_other(settings):
    """The quick way to read ten digits of the US gives the same number as the parser."""
    settings.DEFAULT_COUNTRY = "US"
    dice = random.Random(4)
    for _ in range(3000):
        digits = f"{dice.randrange(10**10):010}"
        first, second = dice.choices(["", " ", "-", "."], k=2)
        area = dice.choice([digits[:3], f"({digits[:3]})"])
        typed = f"{area}{first}{digits[3:6]}{second}{digits[6:]}"
        number = valid_number(typed)
        assert e164(typed) == (f"+1{number.national_number}" if number else "")
