"""A check is requested from the admin; the page of reconciliation has the rest."""

import pytest
from django.utils import timezone

from portal.reconciliation.models import ReconcileReport, Verdict

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(("role", "reports"), [("operator", 2), ("auditor", 1)])
def test_only_a_user_with_the_right_requests_a_check_from_the_admin(
    client, make_user, role, reports
):
    """Red when the action forgets its permission."""
    failed = ReconcileReport.objects.create(status=Verdict.FAILED, finished_at=timezone.now())
    client.force_login(make_user(role, is_staff=True))
    data = {"action": "check_again", "_selected_action": [str(failed.pk)]}
    client.post("/admin/reconciliation/reconcilereport/", data)
    assert ReconcileReport.objects.count() == reports
    assert ReconcileReport.objects.filter(status=Verdict.WAITING).count() == reports - 1
