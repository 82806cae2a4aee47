"""Rows of tables, which Jinja draws: they escape what was typed, and lead where pages lead."""

from uuid import uuid4

import pytest
from django.urls import reverse

from portal.billing.models import BillingAccount
from portal.patients.models import AccessRecord, Patient, PossibleDuplicate
from portal.staff.jinja import address_of

pytestmark = pytest.mark.django_db
TYPED = '<b>O\'Neill</b> & "Co"'
ESCAPED = "&lt;B&gt;O&#39;NEILL&lt;/B&gt; &amp; &#34;CO&#34;"


@pytest.fixture
def operator(client, make_user):
    client.force_login(make_user("operator"))
    return client


@pytest.mark.parametrize(
    "address",
    [
        "/patients/",
        "/patients/suggest/?q=aoife",
        "/palette/recent/",
        "/billing/?state=pending",
        "/patients/duplicates/",
    ],
)
def test_a_name_with_signs_of_html_is_text(operator, address):
    first = Patient.objects.create(family_name=TYPED, given_name="Aoife")
    second = Patient.objects.create(family_name=TYPED, given_name="Aoife")
    BillingAccount.objects.update_or_create(patient=first, defaults={"status": "pending"})
    PossibleDuplicate.objects.create(
        first=min(first, second, key=lambda patient: patient.pk),
        second=max(first, second, key=lambda patient: patient.pk),
        grade="certain",
        reasons=["<i>same</i>"],
    )
    operator.get(f"/patients/{first.pk}/")  # So that it is among those opened last.
    page = operator.get(address).content.decode()
    assert ESCAPED in page
    assert "<b>" not in page.lower()
    assert "<i>" not in page


def test_a_text_that_finds_nobody_is_text_in_the_suggestions(operator):
    page = operator.get("/patients/suggest/", {"q": '<b>"x" & y'}).content.decode()
    assert "Register “&lt;b&gt;&#34;x&#34; &amp; y” as a new patient" in page
    assert "?text=%3Cb%3E%22x%22%20%26%20y" in page
    assert "<b>" not in page


def test_the_names_in_the_frame_of_a_page_are_text(client, make_user, settings):
    settings.CLINIC_NAME = "Smith & <b>Sons</b>"
    user = make_user("operator")
    type(user).objects.filter(pk=user.pk).update(full_name="<b>O'Neill</b>")
    client.force_login(user)
    page = client.get("/help/keys/").content.decode()
    assert "<summary>&lt;b&gt;O&#39;Neill&lt;/b&gt;</summary>" in page
    assert "Smith &amp; &lt;b&gt;Sons&lt;/b&gt;" in page
    assert "<b>" not in page


def test_a_message_shows_its_button_and_escapes_its_names(operator):
    """A message of ours is HTML, made by a template that has escaped what was typed."""
    patient = Patient.objects.create(family_name=TYPED, given_name="Aoife")
    operator.post(f"/patients/{patient.pk}/archive/", {"version": patient.version})
    page = operator.get("/help/keys/").content.decode()
    assert "&lt;B&gt;O&#x27;NEILL&lt;/B&gt; &amp; &quot;CO&quot;, Aoife (MRN" in page
    assert f'action="/patients/{patient.pk}/restore/"' in page
    assert "<b>" not in page.lower()


def test_what_the_audit_names_is_text(operator):
    patient = Patient.objects.create(family_name="Example")
    AccessRecord.objects.create(
        action="open", door="api", patient_ids=[patient.pk], request_id="<b>"
    )
    page = operator.get("/audit/").content.decode()
    assert "<code>&lt;b&gt;</code>" in page


def test_an_address_of_a_row_is_that_of_its_page():
    first, second = uuid4(), uuid4()
    expected = reverse("duplicates:merge", args=[first, second])
    assert address_of("duplicates:merge", first, second) == expected
    assert address_of("duplicates:dismiss", 17) == reverse("duplicates:dismiss", args=[17])
    assert address_of("duplicates:dismiss", 18) == reverse("duplicates:dismiss", args=[18])
