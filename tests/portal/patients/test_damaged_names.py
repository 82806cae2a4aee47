"""A name that was damaged before it came is refused at the pages and by the API, with advice."""

import pytest

from portal.patients.models import Patient
from portal.patients.validation import validate_details

pytestmark = pytest.mark.django_db
DAMAGED = {
    "Mu\u00c3\u00b1oz": "wrong encoding",
    "Jos\u00c3\u00a9": "wrong encoding",
    "M\u00c3\u00bcller": "wrong encoding",
    "Ð˜Ð²Ð°Ð½": "wrong encoding",
    "Mu\ufffdoz": "question marks",
    "Mu?oz": "question marks",
    "??????": "question marks",
    "M&uuml;ller": "codes of HTML",
    "O&#39;Brien": "codes of HTML",
    "\u2560\u00bcller": "signs",
}


@pytest.mark.parametrize("name", DAMAGED)
@pytest.mark.parametrize("member", ["familyName", "givenName", "name"])
def test_a_program_is_told_to_send_the_letters(desk_api, name, member):
    body = {"familyName": "Stone"} | {member: name}
    if member == "name":
        body = {"name": f"Ann {name}"}
    answer = desk_api.post("/api/patients", body, content_type="application/json")
    assert answer.status_code == 400
    [problem] = answer.json()["errors"]
    assert (problem["pointer"], problem["code"]) == (f"#/{member}", "damaged-text")
    assert DAMAGED[name] in problem["detail"]
    assert not Patient.objects.exists()


@pytest.mark.parametrize("name", DAMAGED)
def test_a_good_name_is_not_written_over(desk_api, name):
    patient = Patient.objects.create(family_name="Mu\u00f1oz", given_name="Jos\u00e9")
    address = f"/api/patients/{patient.pk}"
    etag = desk_api.get(address)["ETag"]
    answer = desk_api.patch(
        address, {"familyName": name}, content_type="application/json", headers={"If-Match": etag}
    )
    patient.refresh_from_db()
    assert (answer.status_code, patient.family_name) == (400, "Mu\u00f1oz")


def test_a_page_says_it_beside_the_box(desk):
    page = desk.post("/patients/new/", {"family_name": "Mu\u00c3\u00b1oz", "given_name": "Ann"})
    assert page.status_code == 422
    assert "Type them again" in page.content.decode()


@pytest.mark.parametrize(
    "name",
    [
        "Ñáñez",
        "JOÃO",
        "Ångström",
        "Gal·la",
        "Öö",
        "Nguyễn",
        "O'Brien",
        "Đặng",
        "İnci",
        "Łoś",
        "Þór",
        "ÎLE",
        "Ân",
        "Smith & Sons",
        "Dvořák",
        "Мюллер",
        "王小明",
        "نیما\u200cزاده",
    ],
)
def test_a_good_name_is_taken(name):
    assert validate_details({"family_name": name})["family_name"] == name
