"""`python -m billing_grpc migrate` makes the database the code expects."""

from concurrent.futures import ThreadPoolExecutor

import psycopg2
import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from billing_grpc.schema import migrate
from billing_grpc.store import metadata
from tests.billing_grpc.caller import OPENED, new_patient, running_server
from tests.billing_grpc.database import execute, new_database, over_tcp
from tests.billing_grpc.process import environment, run_command
from tests.waits import wait_for

INSERT = "INSERT INTO billing_account (patient_id, name, email, patient_version) VALUES "
ROW = "('0190f6c8-0000-7000-8000-000000000001', 'Zoë', '', 1)"


def test_it_prints_the_revision_and_can_be_run_again():
    with new_database(migrated=False) as url:
        for _ in range(2):
            done = run_command("migrate", environment(url))
            assert (done.returncode, done.stdout) == (
                0,
                "billing: the database is at revision 0002\n",
            )
            assert done.stderr == ""


def test_two_at_once_both_succeed():
    with new_database(migrated=False) as url, ThreadPoolExecutor(2) as both:
        runs = list(both.map(lambda _: run_command("migrate", environment(url)), range(2)))
        assert [done.returncode for done in runs] == [0, 0]


def test_a_database_that_is_away_is_a_plain_refusal():
    with new_database() as gone:
        pass
    refused = run_command("migrate", environment(gone))
    assert refused.returncode == 1
    assert refused.stderr.startswith(
        "billing: the database of BILLING_DATABASE_URL does not answer: "
    )
    assert "Traceback" not in refused.stderr


def test_the_migrations_make_the_tables_that_the_code_describes():
    with new_database() as url:
        engine = sa.create_engine(url, poolclass=sa.NullPool)
        with engine.connect() as connection:
            assert compare_metadata(MigrationContext.configure(connection), metadata) == []


@pytest.mark.parametrize(
    ("wrong", "constraint"),
    [
        (f"{ROW}, {ROW}", "billing_account_one_for_each_patient"),
        (ROW.replace("Zoë", ""), "billing_account_name_is_given"),
        (ROW.replace(", 1)", ", -1)"), "billing_account_version_is_not_negative"),
    ],
)
def test_the_database_itself_refuses_what_must_not_be(wrong, constraint):
    with new_database() as url, pytest.raises(psycopg2.IntegrityError, match=constraint):
        execute(url, INSERT + wrong)


def test_a_database_over_tcp_is_reached_as_well_as_one_over_a_socket():
    with new_database(migrated=False) as url, over_tcp(url) as tcp:
        assert (url.host or tcp.host) == tcp.host
        assert migrate(tcp) == "0002"
        with running_server(tcp) as billing:
            wait_for(lambda: billing.health() == "SERVING")
            assert billing.open(new_patient()).outcome == OPENED
