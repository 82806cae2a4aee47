"""The search box takes what is typed and pasted at a desk."""

import pytest

from portal.billing.models import BillingAccount
from portal.patients.models import Patient
from portal.patients.search.engine import search
from portal.patients.search.prefill import prefill_fields
from portal.patients.search.typed_text import read_typed

pytestmark = pytest.mark.django_db
BORN = "1984-12-31"


def register(family: str, given: str = "", **more) -> Patient:
    return Patient.objects.create(family_name=family, given_name=given, **more)


def found(text: str) -> list[str]:
    hits = search(Patient.objects.all(), text, limit=50).hits
    return [f"{hit.patient.list_name}: {hit.reason}" for hit in hits]


@pytest.mark.parametrize(
    "form", ["MRN {}", "MRN: {}", "mrn {}.", "#{}", "{}.", "{},", "MRN #{}", "# {}"]
)
def test_a_record_number_is_found_as_it_is_printed(form):
    patient = register("Smith")
    assert found(form.format(patient.mrn)) == ["SMITH: MRN"]
    wide = str.maketrans("0123456789", "０１２３４５６７８９")
    assert found(form.format(patient.mrn.translate(wide))) == ["SMITH: MRN"]


@pytest.mark.parametrize(
    "text",
    [
        "SMITH, Jane (Mrs)",
        "Mrs Jane Smith",
        "Mrs. Smith",
        "Dr Smith",
        "Jane Smith MD",
        "SMITH, Jane Jr.",
        "smith 12/31/1984",
        "31/12/1984 smith",
        "12/31/1984",
    ],
)
def test_titles_and_american_dates_find_the_patient(text):
    register("Smith", "Jane", date_of_birth=BORN)
    assert found(text)[0].startswith("SMITH, Jane: ")
    assert "off" not in found(text)[0]


def test_a_middle_name_that_the_record_lacks_is_left_out():
    register("Smith", "Jane")
    assert found("Jane A Smith") == ["SMITH, Jane: Name without A"]
    assert found("jane ann smith") == ["SMITH, Jane: Name without Ann"]
    assert found("smith, jane a") == ["SMITH, Jane: Name without A"]


@pytest.mark.parametrize(
    ("family", "given", "texts"),
    [
        ("de la Cruz", "Juan", ["delacruz", "juan delacruz", "delacruz juan"]),
        ("Delacruz", "Juan", ["de la cruz", "juan de la cruz", "de la cruz juan"]),
        ("Van Kirk", "Ann", ["vankirk", "ann vankirk"]),
        ("Stone", "Anne-Marie", ["annemarie", "annemarie stone", "anne marie"]),
        ("Stone", "Annemarie", ["anne marie", "anne-marie stone"]),
        ("王小明", "", ["小明", "王小明", "王 小明"]),
        ("王", "小明", ["小明", "王小明", "小明王"]),
        ("Nguyễn", "Văn Bình", ["van binh nguyen", "Nguyễn Văn Bình", "binh nguyen"]),
    ],
)
def test_joined_and_parted_names_find_each_other(family, given, texts):
    register(family, given)
    for text in texts:
        assert [hit.partition(": ")[2] for hit in found(text)] == ["Name"], text


def test_exact_accents_come_first():
    register("Muller", "Zoe")
    register("Müller", "Anna")
    assert found("müller") == ["MÜLLER, Anna: Name", "MULLER, Zoe: Name"]
    assert found("muller") == ["MULLER, Zoe: Name", "MÜLLER, Anna: Name"]
    assert found("zoe müller") == ["MULLER, Zoe: Name"]


def test_an_email_an_account_and_a_postal_code_find_the_patient():
    patient = register(
        "Smith", "Jane", email="Jane.Smith@example.org", postal_code="SW1A 1AA", phone="5550100"
    )
    other = register("Stone", postal_code="02110-1234")
    BillingAccount.objects.filter(pk=other.pk).delete()
    BillingAccount.objects.create(
        patient=other, account_id="BA-000000042", status="active", wanted_version=1
    )
    assert found("jane.smith@example.org") == ["SMITH, Jane: E-mail"]
    assert found("jane.smith@") == ["SMITH, Jane: E-mail"]
    assert found("sw1a1aa") == found("SW1A 1AA") == ["SMITH, Jane: Postal code"]
    assert found("02110") == ["STONE: Postal code"]
    assert found("ba-000000042")[0] == "STONE: Billing account"
    assert found("nobody@example.org") == []
    assert patient.pk != other.pk


def test_only_the_beginning_of_a_long_text_is_read(client, front_desk):
    assert len(read_typed("\ufdfa" * 5_000)) <= 200
    assert len(prefill_fields("x" * 5_000)["family_name"]) <= 200
    register("Smith", "Jane")
    assert found("smith jane" + " " * 300 + "x")[0] == "SMITH, Jane: Name"
    client.force_login(front_desk)
    for address in ("/patients/", "/patients/suggest/"):
        page = client.get(address, {"q": "smith " * 800})
        assert page.status_code == 200
        assert "smith " * 40 not in page.content.decode()


@pytest.mark.parametrize("text", ["....", "#", "MRN", "(Mrs)", "@", ",", "\u200b\u00ad"])
def test_a_text_that_says_nothing_raises_nothing(text):
    register("Stone")
    assert "STONE: Name" not in found(text)
