"""The admin's lists read no whole table, and show each row as the theme would."""

from html import unescape
from uuid import uuid4

import pytest
from django.contrib import admin as django_admin
from django.core.paginator import InvalidPage
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from unfold.templatetags.unfold_list import items_for_result

import portal.urls  # noqa: F401 - loads the modules `admin` of all areas.
from portal import admin_lists
from portal.accounts.models import RefreshToken, User
from portal.admin_lists import EstimatingPaginator
from portal.billing.models import OrphanedAccount
from portal.events.models import QuarantinedEvent, RelayLease, RelayLoop
from portal.imports.models import ImportJob, ImportReject
from portal.patients.models import AccessRecord, Patient
from portal.reconciliation.models import ReconcileReport
from portal.staff.templatetags.admin_rows import admin_results

pytestmark = pytest.mark.django_db
MODELS = sorted(django_admin.site._registry, key=lambda model: model._meta.label)


@pytest.fixture
def operator(client, make_user):
    client.force_login(make_user("operator", is_staff=True))
    return client


def create_rows(number: int) -> None:
    """Creates a row of each kind that the admin lists, with values that HTML has to escape."""
    user = User.objects.get(groups__name="operator")
    now = timezone.now()
    patient = Patient.objects.create(family_name=f"O'Neill <{number}>", given_name="Aoife")
    RefreshToken.objects.create(user=user, family=uuid4(), expires_at=now, digest=f"{number}")
    OrphanedAccount.objects.create(patient_id=patient.pk, account_id=f"BA-{number}")
    QuarantinedEvent.objects.create(event_id=number, patient_id=patient.pk, reason="a & b")
    RelayLease.objects.create(
        name=f'a "relay"/{number} !(ü)', holder="a", fence=1, renewed_at=now, expires_at=now
    )
    RelayLoop.objects.create(name=f"loop {number}", looked_at=now)
    job = ImportJob.objects.create(original_name="<b>.csv", by=user, size_bytes=1)
    ImportReject.objects.create(job=job, row_number=number, column="sex", reason="<i>")
    ReconcileReport.objects.create(by=user, is_repair=bool(number % 2), finished_at=now)
    AccessRecord.objects.create(user=user, action="list", door="api", patient_ids=[patient.pk])


def list_address(model) -> str:
    return f"/admin/{model._meta.app_label}/{model._meta.model_name}/"


def test_a_row_is_drawn_as_the_theme_draws_it(operator):
    create_rows(1)
    create_rows(2)
    for model in MODELS:
        response = operator.get(list_address(model))
        assert response.status_code == 200, model
        cl = response.context_data["cl"]
        drawn = admin_results(cl)["rows"]
        for row in cl.result_list:
            assert "".join(items_for_result(cl, row, None)) in drawn
        assert response.content.decode().count("data-row") == len(cl.result_list)


def test_more_rows_take_no_more_statements(operator):
    create_rows(1)
    operator.get("/admin/")  # The first page of a session writes it.
    few = {model: count_statements(operator, model) for model in MODELS}
    create_rows(2)
    create_rows(3)
    assert {model: count_statements(operator, model) for model in MODELS} == few


def count_statements(client, model) -> int:
    with CaptureQueriesContext(connection) as queries:
        client.get(list_address(model))
    return len(queries)


@pytest.mark.parametrize("name", ["patients/accessrecord", "patients/patientevent"])
def test_a_filter_looks_for_its_values_in_no_log(operator, name):
    create_rows(1)
    with CaptureQueriesContext(connection) as queries:
        page = operator.get(f"/admin/{name}/").content.decode()
    assert not [query for query in queries if "DISTINCT" in query["sql"]]
    value = {"patients/accessrecord": "action=list", "patients/patientevent": "pgh_label=insert"}
    assert f"?{value[name]}" in unescape(page)


def test_many_rows_are_estimated_and_few_are_counted(operator, monkeypatch):
    for number in range(1, 6):
        QuarantinedEvent.objects.create(event_id=number, reason="too large")
    page = operator.get("/admin/events/quarantinedevent/").content.decode()
    assert "about" not in page
    monkeypatch.setattr(admin_lists, "COUNTED", 4)
    monkeypatch.setattr(admin_lists.PortalAdmin, "list_per_page", 2)
    page = operator.get("/admin/events/quarantinedevent/").content.decode()
    assert "about" in page


def test_a_page_beyond_the_counted_rows_counts_all(monkeypatch):
    monkeypatch.setattr(admin_lists, "COUNTED", 4)
    for number in range(1, 12):
        QuarantinedEvent.objects.create(event_id=number, reason="too large")
    rows = QuarantinedEvent.objects.order_by("event_id")
    paginator = EstimatingPaginator(rows, 2)
    paginator.count = 1_000_000  # What old statistics may say.
    assert [event.event_id for event in paginator.page(6)] == [11]
    assert paginator.count == 11
    paginator = EstimatingPaginator(rows, 2)
    paginator.count = 1_000_000
    assert [event.event_id for event in paginator.page(400)] == [11]
    with pytest.raises(InvalidPage):
        EstimatingPaginator(QuarantinedEvent.objects.filter(event_id__lt=4), 2).page(3)
