"""Each SQL function has one file, and each change of a file has its migration."""

import hashlib
import re
from importlib import import_module
from pathlib import Path

import pgtrigger
import pytest
from django.core.management import call_command
from django.db import connection

from portal import patients
from portal.patients.sql import read_sql

# The newest migration that loads the function, and a hash of the function without its comments.
# A changed body does not reach existing databases by itself: write a migration that loads the file
# (and rewrites the columns that were computed with the old body), then change the line here.
RELEASED = {
    "patients_compute_search_keys": ("0018_fill_search_keys", "f70e783c513e"),
    "patients_fold": ("0020_iteration_marks_and_older_characters", "2eafea89cbb9"),
    "patients_name_key": ("0015_names_of_the_world", "1580dbae4a84"),
    "patients_name_words": ("0015_names_of_the_world", "fef18e2ddbfc"),
    "patients_next_mrn": ("0001_functions", "829c48a9f2d3"),
    "patients_nth_phone_tail": ("0020_iteration_marks_and_older_characters", "9a55d56d1c5d"),
    "patients_parings": ("0004_search", "c67188413c61"),
    "patients_phone_tail": ("0001_functions", "3d7e288b5fbe"),
    "patients_sort_key": ("0022_fewer_plans_a_write", "f5d3b72260bc"),
    "patients_sound": ("0015_names_of_the_world", "95cf6b82d20d"),
    "patients_transaction": ("0001_functions", "dc3f2e0984d7"),
    "patients_words_near": ("0006_words_near", "529e210f9603"),
}
SETTINGS = """
    SELECT tgfoid::regproc::text, proconfig FROM pg_trigger JOIN pg_proc ON pg_proc.oid = tgfoid
    WHERE tgrelid = 'patients_patient'::regclass AND tgname LIKE 'pgtrigger_update_update_%'
"""

pytestmark = pytest.mark.django_db


def hash_of(name: str) -> str:
    body = re.sub(r"^--.*\n", "", read_sql(name), flags=re.MULTILINE)
    return hashlib.sha256(body.encode()).hexdigest()[:12]


def query(sql: str) -> list[tuple]:
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchall()


def loaded_by(migration: str) -> str:
    """Returns all SQL that the migration runs."""
    module = import_module(f"portal.patients.migrations.{migration}")
    return "".join(getattr(operation, "sql", "") for operation in module.Migration.operations)


def test_each_function_of_the_database_has_its_file():
    """Fails where a migration writes a function by hand."""
    in_database = query("SELECT proname FROM pg_proc WHERE proname LIKE 'patients\\_%'")
    files = Path(patients.__file__).parent.glob("sql/patients_*.sql")
    assert sorted(in_database) == sorted((path.stem,) for path in files)


@pytest.mark.parametrize("name", RELEASED)
def test_a_changed_function_has_a_migration(name):
    migration, released = RELEASED[name]
    assert hash_of(name) == released
    assert read_sql(name) in loaded_by(migration)


def test_every_file_is_known_here():
    files = Path(patients.__file__).parent.glob("sql/patients_*.sql")
    assert {path.stem for path in files} == set(RELEASED)


def test_migrate_gives_the_log_trigger_its_setting_again():
    """Fails without `apply_log_trigger_settings`: each new body of pgtrigger drops the setting."""
    (function, before), *others = query(SETTINGS)
    assert (before, others) == (["enable_nestloop=off"], [])
    pgtrigger.install("patients.Patient:update_update")
    assert query(SETTINGS) == [(function, None)]
    call_command("migrate", verbosity=0)
    assert query(SETTINGS) == [(function, ["enable_nestloop=off"])]
