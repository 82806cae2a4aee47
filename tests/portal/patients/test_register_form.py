"""Register: dates known in part, ages, people who cannot be identified, and the hints."""

from datetime import UTC, date, datetime

import pytest
from django.utils import timezone

from portal.patients.forms.hints import field_hints
from portal.patients.models import Patient
from portal.patients.reference.ages import age_between
from portal.patients.reference.postcodes import national_form
from tests.portal.patients.identifier_rows import NO_ROWS

SENT = {
    **NO_ROWS,
    "family_name": "Smith",
    "given_name": "Jane",
    "sex": "female",
    "token": "a" * 32,
}


def errors(answer) -> dict[str, list[str]]:
    return dict(answer.context["form"].errors)


@pytest.mark.django_db
def test_an_age_is_kept_as_a_year_and_shown_as_a_guess(desk):
    page = desk.post("/patients/new/", {**SENT, "age_about": "42"}, follow=True).content.decode()
    patient = Patient.objects.get()
    year = timezone.localdate().year - 42
    assert (patient.date_of_birth, patient.date_of_birth_precision) == (date(year, 1, 1), "year")
    assert f"{year} (about 42 years)" in page


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("sent", "field"),
    [
        ({"age_about": "old"}, "age_about"),
        ({"age_about": "151"}, "age_about"),
        ({"age_about": "-1"}, "age_about"),
        ({"age_about": "42", "date_of_birth_2": "1984"}, "age_about"),
        ({}, "date_of_birth"),
    ],
)
def test_a_wrong_age_has_its_error_beside_the_field_and_stays(desk, sent, field):
    answer = desk.post("/patients/new/", {**SENT, **sent})
    assert (answer.status_code, [*errors(answer)]) == (422, [field])
    assert answer.context["form"]["age_about"].value() == sent.get("age_about")
    assert not Patient.objects.exists()


@pytest.mark.django_db
def test_a_person_who_cannot_be_identified_is_named_by_the_time(desk, monkeypatch):
    """A double press is one patient, also when a day ends between the two presses."""
    sent = {
        **NO_ROWS,
        "token": "b7" + "0" * 30,
        "unidentified": "yes",
        "sex": "female",
        "age_about": "30",
    }
    times = [datetime(2026, 3, 14, 23, 59, tzinfo=UTC), datetime(2026, 3, 15, tzinfo=UTC)]
    monkeypatch.setattr("portal.patients.views.registering.localtime", lambda: times.pop(0))
    addresses = {desk.post("/patients/new/", sent).get("Location") for _ in range(2)}
    patient = Patient.objects.get()
    assert addresses == {f"/patients/{patient.pk}/?registered=1"}
    assert (patient.family_name, patient.given_name) == ("Unknown", "14-Mar-2026 23:59 B7")
    assert (patient.sex, patient.date_of_birth_precision) == ("female", "year")


@pytest.mark.django_db
def test_the_form_of_an_unidentified_person_takes_another_patient_too(desk):
    sent = {**NO_ROWS, "token": "b7" + "0" * 30, "unidentified": "yes", "sex": "female"}
    desk.post("/patients/new/", sent)
    answer = desk.post("/patients/new/", sent | {"sex": "male"})
    if answer.status_code != 302:  # The two are named by the time, and may look alike.
        assert answer.status_code == 409
        context = answer.context
        again = {"token": context["form"]["token"].value(), "shown": context["panel"].shown}
        assert desk.post("/patients/new/", sent | again | {"sex": "male"}).status_code == 302
    assert sorted(Patient.objects.values_list("sex", flat=True)) == ["female", "male"]


@pytest.mark.django_db
def test_a_form_reached_by_back_asks_about_the_patient_it_sent_first(desk):
    """Back brings the filled form with its used token; a twin is registered after one answer."""
    sent = {
        **SENT,
        "date_of_birth_0": "4",
        "date_of_birth_1": "3",
        "date_of_birth_2": "1984",
        "phone": "617 555 0100",
    }
    assert desk.post("/patients/new/", sent).status_code == 302
    twin = {**sent, "given_name": "Joan"}
    question = desk.post("/patients/new/", twin)
    form, panel = question.context["form"], question.context["panel"]
    assert question.status_code == 409
    assert [patient.given_name for patient, _ in panel.matches] == ["Jane"]
    assert form["token"].value() != sent["token"]
    assert "Idempotency-Key" not in question.content.decode()
    reason = {"override_reason": "relative"}
    answered = {**twin, **reason, "token": form["token"].value(), "shown": panel.shown}
    for _press in range(2):
        assert desk.post("/patients/new/", answered).status_code == 302
    assert sorted(Patient.objects.values_list("given_name", flat=True)) == ["Jane", "Joan"]


@pytest.mark.django_db
def test_a_form_that_came_by_back_registers_a_person_who_is_like_nobody(desk):
    born = {"date_of_birth_0": "4", "date_of_birth_1": "3", "date_of_birth_2": "1984"}
    desk.post("/patients/new/", {**SENT, **born})
    other = {**SENT, "family_name": "Ormond", "given_name": "Tilda", "date_of_birth_2": "1999"}
    assert desk.post("/patients/new/", {**born, **other}).status_code == 302
    assert Patient.objects.count() == 2


@pytest.mark.django_db
def test_the_boxes_of_a_date_stand_in_the_order_of_the_clinic(desk, settings):
    orders = {}
    for order in ("DMY", "MDY"):
        settings.DATE_ORDER = order
        page = desk.get("/patients/new/").content.decode()
        places = {box: page.index(f'name="date_of_birth_{box}"') for box in range(3)}
        orders[order] = sorted(places, key=places.__getitem__)
    assert orders == {"DMY": [0, 1, 2], "MDY": [1, 0, 2]}


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("boxes", "born"),
    [
        (("4", "3", "1984"), (date(1984, 3, 4), "day")),
        (("4", "mars", "84"), (date(1984, 3, 4), "day")),
        (("", "3", "1984"), (date(1984, 3, 1), "month")),
        (("", "", "1984"), (date(1984, 1, 1), "year")),
        (("4 March 1984", "", ""), (date(1984, 3, 4), "day")),
        (("", "03/1984", ""), (date(1984, 3, 1), "month")),
        (("March 1984", "", ""), (date(1984, 3, 1), "month")),
    ],
)
def test_a_date_of_birth_may_be_typed_in_part_or_pasted_whole(desk, boxes, born, settings):
    """The boxes have names of their own, so that no order exchanges what stands in them."""
    settings.DATE_ORDER = "MDY"
    sent = {f"date_of_birth_{index}": text for index, text in enumerate(boxes)}
    answer = desk.post("/patients/new/", {**SENT, **sent})
    assert answer.status_code == 302, errors(answer)
    patient = Patient.objects.get()
    assert (patient.date_of_birth, patient.date_of_birth_precision) == born


@pytest.mark.django_db
@pytest.mark.parametrize("boxes", [("", "", "2015"), ("", "2", "2015"), ("2015", "", "")])
def test_a_day_of_death_is_not_made_of_a_year_or_a_month(desk, boxes):
    sent = {f"deceased_on_{index}": text for index, text in enumerate(boxes)}
    answer = desk.post("/patients/new/", {**SENT, **sent, "birth_unknown": "on"})
    assert errors(answer) == {"deceased_on": ["Enter the day, the month and the year."]}
    assert not Patient.objects.exists()


@pytest.mark.django_db
def test_a_newborn_of_this_year_may_have_died_today(desk):
    today = timezone.localdate()
    sent = {"date_of_birth_2": str(today.year), "deceased_on_0": today.isoformat()}
    assert desk.post("/patients/new/", {**SENT, **sent}).status_code == 302
    assert Patient.objects.get().deceased_on == today


def test_dates_are_told_in_words_beside_their_boxes(monkeypatch):
    monkeypatch.setattr(timezone, "localdate", lambda: date(2026, 11, 28))
    details = {"date_of_birth": date(1984, 3, 4), "date_of_birth_precision": "day"}
    assert field_hints(details)["birth"] == "4 March 1984, 42 years"
    details = {"date_of_birth": date(1984, 3, 1), "date_of_birth_precision": "month"}
    assert field_hints(details)["birth"] == "March 1984, about 42 years"
    assert field_hints({"deceased_on": date(2015, 2, 3)})["death"] == "3 February 2015"


@pytest.mark.django_db
def test_two_unknown_people_of_one_minute_are_two_patients(desk):
    for token in ("1" * 32, "2" * 32):
        assert (
            desk.post(
                "/patients/new/", {**NO_ROWS, "token": token, "unidentified": "yes"}
            ).status_code
            == 302
        )
    assert len({*Patient.objects.values_list("given_name")}) == 2


@pytest.mark.django_db
def test_a_postal_code_is_kept_in_the_form_of_its_country(desk):
    desk.post(
        "/patients/new/", {**SENT, "birth_unknown": "on", "postal_code": "ls14ap", "country": "gb"}
    )
    assert Patient.objects.values_list("postal_code", "country").get() == ("LS1 4AP", "GB")


@pytest.mark.parametrize(
    ("code", "country", "form"),
    [
        ("ls14ap", "GB", "LS1 4AP"),
        ("EC1A1BB", "GB", "EC1A 1BB"),
        ("02108", "US", "02108"),
        ("021081234", "US", "02108-1234"),
        ("k1a 0b1", "CA", "K1A 0B1"),
        ("1012ab", "NL", "1012 AB"),
        ("10115", "DE", "10115"),
        ("D02AF30", "IE", "D02 AF30"),
        ("2108", "US", ""),
        ("anything", "ZZ", ""),
    ],
)
def test_postal_codes_have_the_form_of_their_country(code, country, form):
    assert national_form(code, country) == form


def test_the_hint_of_a_phone_says_how_it_is_understood_or_that_it_is_kept():
    assert (
        field_hints({"phone": "6175550100", "phone_e164": "+16175550100"})["phone"]
        == "Understood as +1 617-555-0100"
    )
    assert (
        field_hints({"phone": "555 0100"})["phone"]
        == "Kept as typed: not a whole number of United States"
    )
    assert field_hints({}) == {"birth": "", "death": "", "phone": "", "postal_code": ""}


@pytest.mark.parametrize(
    ("born", "words"),
    [
        ((2026, 4, 2), "3 days"),
        ((2026, 4, 4), "1 day"),
        ((2026, 4, 5), "0 days"),
        ((2026, 1, 5), "3 months"),
        ((1984, 4, 5), "42 years"),
        ((1984, 4, 6), "41 years"),
        ((2024, 4, 6), "23 months"),
    ],
)
def test_an_age_is_in_years_for_small_children_in_months_or_days(born, words):
    assert age_between(date(*born), date(2026, 4, 5)) == words


@pytest.mark.django_db
def test_hints_are_shown_though_another_field_is_wrong(desk):
    sent = {
        "family_name": "",
        "phone": "617 555 0100",
        "email": "no",
        "date_of_birth_0": "1984-03-15",
    }
    page = desk.post("/patients/similar/", sent).content.decode()
    assert "+1 617-555-0100" in page
    assert "years</span>" in page
