"""The admin's pages show what the theme shows, also where parts of them are drawn once."""

import re

import pytest
from django.contrib import admin as django_admin
from django.test import Client
from unfold.sites import UnfoldAdminSite

import portal.urls  # noqa: F401 - loads the modules `admin` of all areas.
from portal.accounts.models import User
from portal.imports.models import ImportJob
from portal.patients.models import Patient, PatientIdentifier
from portal.staff import theme
from portal.staff.admin_site import PER_REQUEST, PortalAdminSite
from portal.staff.templatetags import admin_fields, admin_frame
from tests.portal.test_admin_lists import MODELS, create_rows, list_address

pytestmark = pytest.mark.django_db
TOKEN = re.compile('csrfmiddlewaretoken" value="[^"]+| at 0x\\w+|salt</strong>.*|hash</strong>.*')


@pytest.fixture(autouse=True)
def nothing_drawn(monkeypatch):
    monkeypatch.setattr(theme, "_drawn", {})


@pytest.fixture
def operator(client, make_user):
    client.force_login(make_user("operator", is_staff=True))
    return client


@pytest.fixture
def superuser(client, make_user):
    make_user("operator")  # Whom the rows name.
    user = User.objects.create_superuser("boss@x.example", "pw", full_name="Boss <b>")
    client.force_login(user)
    return client


def page_of(client, address: str, form: dict[str, str] | None = None) -> str:
    response = client.post(address, form) if form else client.get(address)
    assert response.status_code == 200, address
    return TOKEN.sub("", response.content.decode())


def page_of_theme(client, address: str, form: dict[str, str] | None = None) -> str:
    """Returns the page as the theme draws all of it."""

    def draw(name, context, *_looks, **_places):
        return theme.draw_anew(name, context)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(admin_fields, "_place", lambda *_: None)
        patch.setattr(admin_frame, "draw_once", draw)
        return page_of(client, address, form)


def change_address(row) -> str:
    return f"{list_address(type(row))}{django_admin.utils.quote(row.pk)}/change/"


def fill(number: int) -> None:
    create_rows(number)
    patient = Patient.objects.order_by("pk").last()
    patient.sex, patient.address_line1 = ("female", "1 A & B") if number % 2 else ("male", "")
    patient.save()
    PatientIdentifier.objects.create(patient=patient, system="passport", value=f"P<{number}")
    job = ImportJob.objects.order_by("pk").last()
    job.columns = {"Sex <b>": f"sex {number}"} if number % 2 else {}
    job.save()


@pytest.mark.parametrize("role", ["operator", "superuser"])
def test_the_form_of_each_row_is_drawn_as_the_theme_draws_it(request, role):
    client = request.getfixturevalue(role)
    fill(1)
    fill(2)
    for model in MODELS:
        rows = model.objects.order_by("pk")
        if role == "operator" and model is User:
            rows = rows.filter(is_superuser=False)
        for row in (*rows[:1], *rows.reverse()[:2]):
            address = change_address(row)
            assert page_of(client, address) == page_of_theme(client, address), row


def test_a_new_form_and_one_with_errors_are_drawn_as_the_theme_draws_them(superuser):
    fill(1)
    new = "/admin/patients/patient/add/"
    change = change_address(Patient.objects.get())
    typed = {"family_name": "<b>\x020\x03 & 'x'", "date_of_birth": "soon", "email": "no"}
    for _ in range(2):
        page_of(superuser, change)  # Another row's values are drawn before.
        for address in (new, change):
            page = page_of(superuser, address, typed)
            assert page == page_of_theme(superuser, address, typed)
            assert "&lt;b&gt;" in page
            assert "soon" in page


def test_the_values_of_a_form_stay_out_of_memory(superuser):
    patient = Patient.objects.create(family_name="Rememberme", sex="female", address_line1="5 Elm")
    job = ImportJob.objects.create(original_name="Rememberme.csv", size_bytes=1)
    for row in (patient, job):
        assert "Rememberme" in page_of(superuser, change_address(row))
    drawn = "".join(f"{key}{html}" for key, html in theme._drawn.items())
    assert theme._drawn
    assert "Rememberme" not in drawn
    assert "5 Elm" not in drawn


def test_parts_in_memory_are_bounded(operator, monkeypatch):
    monkeypatch.setattr(theme, "MOST_DRAWN", 2)
    fill(1)
    for model in MODELS:
        page_of(operator, list_address(model))
    assert len(theme._drawn) <= 2


def test_lists_with_and_without_a_filter_are_drawn_as_the_theme_draws_them(operator):
    fill(1)
    patients = "/admin/patients/patient/?q=Rememberme"
    filtered = ["/admin/patients/patient/?sex__exact=female", "/admin/accounts/user/?locked=yes"]
    for address in (*map(list_address, MODELS), *map(list_address, MODELS), *filtered, patients):
        assert page_of(operator, address) == page_of_theme(operator, address), address
    assert "Rememberme" not in "".join(f"{key}{html}" for key, html in theme._drawn.items())


def test_each_user_gets_the_sidebar_of_their_rights_and_their_own_name(make_user):
    clients = {}
    for role in ("operator", "billing"):
        clients[role] = Client()
        clients[role].force_login(make_user(role, is_staff=True))
    for role, client in clients.items():
        page = page_of(client, "/admin/billing/billingaccount/")
        assert page == page_of_theme(client, "/admin/billing/billingaccount/")
        assert ("Wrong passwords" in page) == (role == "operator")
        assert User.objects.get(groups__name=role).email in page


def test_a_user_signs_out_with_a_token_of_their_own(make_user):
    for role in ("operator", "billing"):
        client = Client(enforce_csrf_checks=True)
        client.force_login(make_user(role, is_staff=True))
        page = client.get("/admin/").content.decode()
        form = page[page.index('id="logout-form"') :]
        token = re.search('csrfmiddlewaretoken" value="([^"]+)', form)[1]
        answer = client.post("/admin/logout/", {"csrfmiddlewaretoken": token})
        assert answer.status_code != 403


@pytest.mark.parametrize("address", ["/", "/accounts/user/?by_token=yes", "/auth/group/7/change/"])
@pytest.mark.parametrize("role", ["operator", "billing"])
def test_the_context_of_a_page_is_the_themes(rf, make_user, role, address):
    request = rf.get(f"/admin{address}")
    request.user = make_user(role, is_staff=True)
    site = PortalAdminSite()
    rf_of_others = rf.get("/admin/patients/patient/?q=x")
    rf_of_others.user = request.user
    site.each_context(rf_of_others)
    ours, theirs = site.each_context(request), UnfoldAdminSite().each_context(request)
    assert ours.keys() == theirs.keys()
    for name in ours.keys() - PER_REQUEST:
        assert ours[name] == theirs[name], name
    assert ours["has_permission"] == theirs["has_permission"]
    assert list(ours["available_apps"]) == list(theirs["available_apps"])
    assert sidebar_entries(ours) == sidebar_entries(theirs)


def sidebar_entries(context) -> list[list[tuple]]:
    names = ("title", "icon", "link", "active", "has_permission")
    groups = context["sidebar_navigation"]
    return [[tuple(entry[name] for name in names) for entry in group["items"]] for group in groups]
