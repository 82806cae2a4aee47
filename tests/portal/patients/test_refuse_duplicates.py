"""A strong match refuses a registration until a user who saw it gives an override reason."""

from datetime import date
from uuid import UUID

import pytest
from django.core import signing

from portal.errors import Conflict
from portal.patients.matching.lookup import MAX_PER_BIRTH_DATE, find_matches
from portal.patients.models import AccessRecord, Patient, PatientEvent
from portal.patients.services import archive_patient, register_patient, register_patients
from portal.patients.validation import validate_details
from tests.portal.patients.identifier_rows import NO_ROWS

pytestmark = pytest.mark.django_db
SMITH = {"family_name": "Smith", "given_name": "Jane", "date_of_birth": "1984-03-15"}
PASSPORT = {"identifiers": [{"system": "passport", "value": "P123"}]}
SENT = {
    **NO_ROWS,
    "family_name": "Smith",
    "given_name": "Joan",
    "sex": "female",
    "token": "a" * 32,
    "date_of_birth_0": "15",
    "date_of_birth_1": "3",
    "date_of_birth_2": "1984",
}


def register(**details):
    how = {name: details.pop(name) for name in ("shown", "override_reason") if name in details}
    return register_patient(validate_details({**SMITH, **details}), by=None, source="portal", **how)


def found(**details) -> dict[str, str]:
    matches = find_matches(Patient.objects.all(), validate_details({**SMITH, **details}))
    names = dict(Patient.objects.values_list("pk", "given_name"))
    return {names[match.patient_id]: str(match.grade) for match in matches}


def test_matches_come_surest_first_and_without_archived_patients():
    register(
        given_name="Phone", family_name="Other", date_of_birth="1950-01-01", phone="617 555 0100"
    )
    register(given_name="Sound", family_name="Smythe")
    register(given_name="Twin")
    register(given_name="Gone")
    archive_patient(Patient.objects.get(given_name="Gone").pk, by=None, source="portal")
    register(given_name="Holder", family_name="Else", date_of_birth="1970-01-01", **PASSPORT)
    grades = found(phone="+1 (617) 555-0100", **PASSPORT)
    assert grades == {
        "Holder": "certain",
        "Twin": "probable",
        "Phone": "possible",
        "Sound": "possible",
    }
    assert list(grades)[:2] == ["Holder", "Twin"]


def test_an_archived_holder_of_an_identifier_is_found():
    gone = register(**PASSPORT)
    archive_patient(gone.pk, by=None, source="portal")
    with pytest.raises(Conflict) as caught:
        register(family_name="Else", override_reason="checked", **PASSPORT)
    assert caught.value.extra["patientIds"] == [str(gone.pk)]
    assert caught.value.errors[0].pointer == "identifiers"


def test_a_year_of_birth_meets_the_day_of_birth():
    register(date_of_birth="1984-01-01", date_of_birth_precision="year")
    assert found() == {"Jane": "probable"}
    register(given_name="Day", date_of_birth="1984-07-09")
    assert found(given_name="Day", date_of_birth="1984-01-01", date_of_birth_precision="year") == {
        "Day": "probable"
    }


@pytest.mark.parametrize(
    "stored",
    [
        {"family_name": "Smyth"},
        {"family_name": "Jane", "given_name": "Smith"},
        {"family_name": "Smithers-Smith"},
        {"family_name": "Smi Th"},
    ],
)
def test_a_match_is_found_on_a_crowded_birth_date(stored):
    """Red when only patients are compared that the database takes by chance."""
    day = {"date_of_birth": date(1984, 1, 1)}
    strangers = [
        {**day, "family_name": f"Jones{n}", "given_name": "Jack"}
        for n in range(MAX_PER_BIRTH_DATE * 2)
    ]
    register_patients(strangers, by=None, source="portal")
    meant = register(**{"given_name": "Jane", **stored, **day})
    register_patients(strangers, by=None, source="portal")
    assert [
        match.patient_id for match in find_matches(Patient.objects.all(), {**SMITH, **day})
    ] == [meant.pk]


def test_day_and_month_exchanged_are_found():
    register(date_of_birth="2008-04-05")
    assert found(date_of_birth="2008-05-04") == {"Jane": "probable"}


def test_the_api_is_refused_by_the_exact_rule_alone():
    register()
    register(given_name="Joan")
    with pytest.raises(Conflict):
        register()
    assert Patient.objects.count() == 2


def test_a_page_must_show_all_matches_and_give_an_override_reason():
    known = register()
    for shown, reason in [([], ""), ([], "twins"), ([known.pk], "")]:
        with pytest.raises(Conflict) as caught:
            register(given_name="Joan", shown=shown, override_reason=reason)
        assert [match["grade"] for match in caught.value.extra["candidates"]] == ["probable"]
    joan = register(given_name="Joan", shown=[known.pk], override_reason="twins")
    context = PatientEvent.objects.get(pgh_obj=joan).pgh_context
    assert (context["similar"], context["duplicate_reason"]) == ([str(known.pk)], "twins")


def test_a_possible_match_is_shown_and_needs_no_override_reason():
    known = register(family_name="Smythe", given_name="Ann")
    with pytest.raises(Conflict):
        register(shown=[])
    assert register(shown=[known.pk]).pk


def test_a_forged_list_of_shown_patients_is_refused(client, front_desk):
    """A forged or another user's token opens nothing, and hides no access."""
    known = register()
    client.force_login(front_desk)
    forged = [
        signing.dumps([front_desk.pk, [known.pk.hex]], salt="else"),
        signing.dumps([front_desk.pk + 1, [known.pk.hex]], salt="patients.similar"),
    ]
    for token in ["", "x", *forged]:
        answer = client.post(
            "/patients/new/", {**SENT, "override_reason": "relative", "shown": token}
        )
        assert answer.status_code == 409
    assert AccessRecord.objects.filter(action="similar", patient_ids=[known.pk]).count() == 4
    shown = answer.context["panel"].shown
    client.post("/patients/similar/", {**SENT, "shown": shown})
    assert AccessRecord.objects.count() == 4
    assert (
        client.post(
            "/patients/new/", {**SENT, "override_reason": "relative", "shown": shown}
        ).status_code
        == 302
    )


def test_the_panel_is_not_replaced_where_nothing_changed(client, front_desk):
    register()
    client.force_login(front_desk)
    first = client.post("/patients/similar/", SENT)
    assert "HX-Reswap" not in first
    again = client.post("/patients/similar/", {**SENT, "shown": first.context["panel"].shown})
    assert again["HX-Reswap"] == "none"


def test_an_override_reason_does_not_hold_for_later_patients(client, front_desk):
    register()
    client.force_login(front_desk)
    shown = client.post("/patients/similar/", SENT).context["panel"].shown
    register(given_name="June")
    answer = client.post("/patients/new/", {**SENT, "override_reason": "relative", "shown": shown})
    assert answer.status_code == 409
    assert answer.context["form"]["override_reason"].value() is None


def test_another_override_reason_needs_words(client, front_desk):
    register()
    client.force_login(front_desk)
    shown = client.post("/patients/similar/", SENT).context["panel"].shown
    answer = client.post("/patients/new/", {**SENT, "override_reason": "other", "shown": shown})
    assert answer.context["form"].errors["other_reason"] == ["Say the other reason in a few words."]


def test_the_api_gives_grade_and_reasons_beside_the_older_members(desk_api):
    known = register(phone="617 555 0100")
    body = {"familyName": "Smith", "givenName": "Jane", "dateOfBirth": "1984-03-15"}
    problem = desk_api.post("/api/patients", body, format="json").json()
    assert (problem["status"], problem["duplicate"], problem["patientIds"]) == (
        409,
        True,
        [str(known.pk)],
    )
    reasons = ["same name", "same date of birth"]
    assert problem["candidates"] == [{"id": str(known.pk), "grade": "certain", "reasons": reasons}]
    near = {**body, "givenName": "Joan", "phone": "617 555 0100"}
    assert desk_api.post("/api/patients", near, format="json").status_code == 201


def test_no_answer_names_a_person(desk_api):
    register(**PASSPORT)
    held = {"familyName": "Else", "identifiers": [{"system": "passport", "value": "p 123"}]}
    text = desk_api.post("/api/patients", held, format="json").content.decode()
    assert UUID(desk_api.post("/api/patients", held, format="json").json()["candidates"][0]["id"])
    assert not [word for word in ("Smith", "Jane", "1984", "P123") if word in text]
