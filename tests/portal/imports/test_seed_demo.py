"""A portal to try: a user of each role, and people in many alphabets."""

import pytest
from django.core.management import CommandError, call_command

from portal.accounts.models import User
from portal.accounts.roles import ROLES
from portal.patients.models import Patient, PatientEvent
from tests.portal.imports.files import ANNA, as_csv

pytestmark = pytest.mark.django_db
PASSWORD = "a password for trying"
PEOPLE = 68


@pytest.fixture
def seed(monkeypatch, capsys):
    monkeypatch.setenv("DEMO_PASSWORD", PASSWORD)
    return lambda *options: call_command("seed_demo", *options)


def test_each_role_can_sign_in_and_there_are_people_to_find(seed, client):
    seed()
    assert set(User.objects.values_list("groups__name", flat=True)) == set(ROLES)
    assert all(
        user.email.endswith("@demo.example") and user.check_password(PASSWORD)
        for user in User.objects.all()
    )
    assert Patient.objects.count() == PatientEvent.objects.count() == PEOPLE
    assert Patient.objects.filter(family_name="Кузнецова").exists()
    assert Patient.objects.exclude(phone="").filter(phone_e164="").count() == 0


def test_only_the_operator_may_open_the_admin(seed):
    seed()
    assert list(User.objects.filter(is_staff=True).values_list("email", flat=True)) == [
        "operator@demo.example"
    ]
    assert not User.objects.filter(is_superuser=True).exists()


def test_seeding_again_changes_nothing(seed):
    seed()
    User.objects.get(email="frontdesk@demo.example").delete()
    seed("--if-empty")
    assert User.objects.count() == len(ROLES) - 1
    seed()
    assert (User.objects.count(), PatientEvent.objects.count()) == (len(ROLES), PEOPLE)


def test_a_portal_with_patients_stays_as_it_is(seed, import_text):
    import_text(as_csv(ANNA))
    seed("--if-empty")
    assert (User.objects.count(), Patient.objects.count()) == (0, 1)


def test_there_is_no_default_password(monkeypatch):
    monkeypatch.delenv("DEMO_PASSWORD", raising=False)
    with pytest.raises(CommandError, match="DEMO_PASSWORD"):
        call_command("seed_demo")
