"""The roles of a clinic and their rights; one table to read, written into groups after each migration."""

from typing import Any

from django.contrib.auth.models import Group, Permission
from django.db.models import Q

_READ = [
    "patients.view_patient",
    "patients.view_history",
    "billing.view_billingaccount",
    "analytics.view_figures",
]
_DESK = [
    "patients.add_patient",
    "patients.change_patient",
    "patients.archive_patient",
    "patients.merge_patient",
]
_AUDIT = [
    "patients.view_history",
    "patients.view_access",
    "patients.view_accessrecord",
    "patients.view_patientevent",
]

ROLES: dict[str, list[str]] = {
    "front desk": [*_READ, *_DESK],
    "clinician": [*_READ, "patients.change_patient"],
    "billing": [*_READ, "billing.retry_billingaccount"],
    "analyst": ["analytics.view_figures"],
    "auditor": [*_READ, *_AUDIT, "reconciliation.view_reconcilereport"],
    "operator": [
        *_READ, *_DESK, *_AUDIT,
        "patients.view_patientidentifier", "billing.retry_billingaccount", "billing.view_orphanedaccount",
        "imports.view_importjob", "imports.add_importjob", "imports.view_importreject", "patients.export_patient",
        "events.view_quarantinedevent", "events.resend_quarantinedevent", "events.view_relaylease",
        "events.view_relayloop",
        "patients.view_eventoutbox",
        "reconciliation.view_reconcilereport", "reconciliation.add_reconcilereport",
        "accounts.view_user", "accounts.add_user", "accounts.change_user", "auth.view_group",
        "accounts.view_refreshtoken", "accounts.delete_refreshtoken",
        "axes.view_accessattempt", "axes.delete_accessattempt",
    ],
}  # fmt: skip


def sync_roles(**_: Any) -> None:
    """Make each role's group hold exactly its rights; rights of apps not yet migrated come with the last signal."""
    for role, labels in ROLES.items():
        group, _created = Group.objects.get_or_create(name=role)
        wanted = Q(pk__in=[])
        for label in labels:
            app, codename = label.split(".")
            wanted |= Q(content_type__app_label=app, codename=codename)
        group.permissions.set(Permission.objects.filter(wanted))
