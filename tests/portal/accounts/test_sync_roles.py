"""Each role has its rights after the migrations."""

import pytest
from django.contrib.auth.models import Group, Permission
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from portal.accounts.roles import ROLES

pytestmark = pytest.mark.django_db


def test_a_migration_gives_each_role_exactly_its_rights():
    """Fails where roles are written before all apps have their rights."""
    Permission.objects.all().delete()
    call_command("migrate", verbosity=0)
    for role, labels in ROLES.items():
        rights = Permission.objects.filter(group__name=role).values_list(
            "content_type__app_label", "codename"
        )
        assert {".".join(right) for right in rights} == set(labels)


def test_a_migration_writes_roles_once():
    with CaptureQueriesContext(connection) as queries:
        call_command("migrate", verbosity=0)
    reads = [query for query in queries if 'FROM "auth_group"' in query["sql"]]
    assert len(reads) == Group.objects.count()
