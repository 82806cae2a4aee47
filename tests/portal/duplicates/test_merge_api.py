"""Merging through the API: rights, versions, and the answers to a client with the old id."""

import pytest

from portal.patients.models import Patient
from portal.patients.services import register_patient

pytestmark = pytest.mark.django_db(transaction=True)
HOW = {"by": None, "source": "api"}


@pytest.fixture
def pair():
    older = register_patient({"family_name": "Example", "city": "Leeds"}, **HOW)
    newer = register_patient(
        {"family_name": "Exampel", "city": "York", "phone": "617 555 0100"}, **HOW
    )
    return older, newer


def merge(api, pair, *, version='"1"', **body):
    older, newer = pair
    sent = {"into": str(older.pk), "reason": "Papers seen", **body}
    return api.post(
        f"/api/patients/{newer.pk}/merge", sent, format="json", headers={"If-Match": version}
    )


def test_the_survivor_is_answered_with_what_it_lacked(desk_api, pair):
    older, newer = pair
    answer = merge(desk_api, pair)
    assert (answer.status_code, answer.headers["ETag"]) == (200, '"2"')
    body = answer.json()
    assert (body["id"], body["phone"], body["city"]) == (str(older.pk), "617 555 0100", "Leeds")
    assert body["mergedInto"] is None
    merged = desk_api.get(f"/api/patients/{newer.pk}").json()
    assert (merged["status"], merged["mergedInto"]) == ("merged", str(older.pk))


def test_take_names_the_values_of_the_merged_record(desk_api, pair):
    body = merge(desk_api, pair, take=["address", "familyName"]).json()
    assert (body["city"], body["familyName"], body["phone"]) == ("York", "Exampel", "")


@pytest.mark.parametrize(
    ("body", "status", "pointer"),
    [
        ({"reason": ""}, 400, "#/reason"),
        ({"take": ["city"]}, 400, "#/take"),
        ({"into": "x"}, 400, "#/into"),
        ({"shoeSize": 4}, 400, "#/shoeSize"),
        ({"version": '"7"'}, 412, None),
        ({"intoVersion": 7}, 412, None),
        ({"into": "01a203f3-f616-705a-979d-c9f0a8a3dbe8"}, 404, None),
    ],
)
def test_what_is_wrong_is_named_and_nothing_is_merged(desk_api, pair, body, status, pointer):
    answer = merge(desk_api, pair, **body)
    assert answer.status_code == status
    assert [error["pointer"] for error in answer.json().get("errors", [])] == (
        [pointer] if pointer else []
    )
    assert not Patient.objects.filter(status="merged").exists()


def test_a_merged_record_answers_409_and_names_the_survivor(desk_api, pair):
    older, newer = pair
    merge(desk_api, pair)
    place = f"/api/patients/{newer.pk}"
    body = desk_api.get(place).json()
    for answer in (
        desk_api.put(place, {**body, "city": "Hull"}, format="json"),
        desk_api.patch(place, {"city": "Hull"}, format="json"),
        desk_api.patch(place, {"status": "active"}, format="json"),
        desk_api.delete(place),
        merge(desk_api, pair, version="*"),
    ):
        assert (answer.status_code, answer.json()["mergedInto"]) == (409, str(older.pk))


def test_unmerging_says_what_the_survivor_keeps(desk_api, pair):
    older, newer = pair
    merge(desk_api, pair)
    desk_api.patch(f"/api/patients/{older.pk}", {"phone": "617 555 0199"}, format="json")
    place = f"/api/patients/{newer.pk}/unmerge"
    assert desk_api.post(place, headers={"If-Match": '"1"'}).status_code == 412
    answer = desk_api.post(place, headers={"If-Match": '"2"'})
    assert (answer.status_code, answer.headers["ETag"]) == (200, '"3"')
    assert (answer.json()["status"], answer.json()["left"]) == ("active", ["phone"])
    assert desk_api.post(place).status_code == 409


def test_the_history_names_the_field(desk_api, pair):
    older, newer = pair
    merge(desk_api, pair)
    changes = desk_api.get(f"/api/patients/{newer.pk}/history").json()[0]["changes"]
    assert {"field": "merged_into", "old": "", "new": str(older.pk)} in changes


def test_front_desk_and_operator_may_merge(api_as, make_user, pair):
    assert merge(api_as(make_user("clinician")), pair).status_code == 403
    assert merge(api_as(make_user("operator")), pair).status_code == 200


def test_a_list_holds_merged_records_only_when_asked_for_them(desk_api, pair):
    older, newer = pair
    merge(desk_api, pair)
    found = {
        status: [
            patient["id"] for patient in desk_api.get("/api/patients", {"status": status}).json()
        ]
        for status in ("active", "merged")
    }
    assert found == {"active": [str(older.pk)], "merged": [str(newer.pk)]}
    assert [
        patient["id"] for patient in desk_api.get("/api/patients", {"q": newer.mrn}).json()
    ] == [str(older.pk)]
