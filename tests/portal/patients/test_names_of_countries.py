"""Staff type and read names of countries and languages; programs have their codes."""

import pytest

from portal.patients.models import Patient
from portal.patients.reference.countries import (
    COUNTRIES,
    LANGUAGES,
    country_code,
    country_name,
    language_name,
    language_tag,
)
from portal.patients.services import register_patient
from tests.portal.patients.identifier_rows import NO_ROWS

SENT = {
    **NO_ROWS,
    "family_name": "Muster",
    "given_name": "Eva",
    "birth_unknown": "on",
    "sex": "female",
    "token": "a" * 32,
}


@pytest.mark.django_db
@pytest.mark.parametrize("typed", ["Germany", "germany", "DE", "de"])
def test_a_country_is_typed_by_its_name_or_its_letters(desk, typed):
    desk.post("/patients/new/", {**SENT, "country": typed, "language": "german"})
    assert Patient.objects.values_list("country", "language").get() == ("DE", "de")


@pytest.mark.django_db
def test_another_word_stays_in_the_box_with_an_error_beside_it(desk):
    page = desk.post("/patients/new/", {**SENT, "country": "Atlantis"}).content.decode()
    assert (
        page.count("Give the country by its name or its two letters") == 2
    )  # In the summary and beside the field.
    assert 'value="Atlantis"' in page
    assert not Patient.objects.exists()


@pytest.mark.django_db
def test_the_pages_read_names(desk):
    made = register_patient(
        {"family_name": "Muster", "country": "TR", "language": "pt-BR"}, by=None, source="portal"
    )
    form = desk.get(f"/patients/{made.pk}/edit/").content.decode()
    assert 'value="Türkiye"' in form
    assert 'value="Portuguese (Brazil)"' in form
    assert "<option>Albania</option>" in form
    assert "Portuguese (Brazil)" in desk.get(f"/patients/{made.pk}/").content.decode()
    assert "Türkiye" in desk.get(f"/patients/{made.pk}/history/").content.decode()


def test_each_is_known_by_the_name_that_is_shown():
    tags = [*LANGUAGES, "pt-BR", "de-AT", "zh-TW"]
    assert [country_code(country_name(code)) for code in COUNTRIES] == [*COUNTRIES]
    assert [language_tag(language_name(tag)) for tag in tags] == tags


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("usa", "US"),
        ("u.s.a.", "US"),
        ("United States of America", "US"),
        ("the Netherlands", "NL"),
        ("The Bahamas", "BS"),
        ("UK", "GB"),
        ("U.K.", "GB"),
        ("England", "GB"),
        ("Ivory Coast", "CI"),
        ("st. lucia", "LC"),
    ],
)
def test_other_names_of_a_country_are_known(typed, kept):
    assert country_code(typed) == kept


@pytest.mark.parametrize(
    ("letters", "kept"), [("NLD", "NL"), ("che", "CH"), ("DEU", "DE"), ("AUS", "AU"), ("GBR", "GB")]
)
def test_a_country_is_known_by_three_letters(letters, kept):
    assert country_code(letters) == kept


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("Deutschland", "DE"),
        ("Nederland", "NL"),
        ("Schweiz", "CH"),
        ("Suisse", "CH"),
        ("Eesti", "EE"),
        ("España", "ES"),
        ("espana", "ES"),
        ("日本", "JP"),
        ("Россия", "RU"),
        ("Frankreich", "FR"),
    ],
)
def test_a_country_is_known_by_its_name_in_its_own_language(name, kept):
    assert country_code(name) == kept


@pytest.mark.parametrize(
    "text", ["XX", "ZZ", "EU", "QQ", "XXX", "SUN", "276", "", "the", "Atlantis"]
)
def test_letters_of_no_country_are_none(text):
    assert country_code(text) == ""


@pytest.mark.parametrize("tag", ["sr-Latn", "x-klingon", "sign language", "en-XX"])
def test_a_language_that_we_do_not_know_stays_as_it_is(tag):
    assert language_name(tag) == language_tag(tag) == tag
