"""Fills the databases of a run: `python -m embedded run -- python -m tests.bench.fill 50000`.

It runs on the servers alone, before the product does: portal, billing and analytics as after years
of work, a database `plain` for the baseline, and `alone`, a copy of the portal's that no process of
the product reads, for PostgreSQL alone.
"""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from embedded.environment import ROOT, RUN_VARIABLE
from embedded.postgres import Postgres
from embedded.secrets import read_variables
from embedded.stack import add_demo, prepare
from tests.bench.filling import fill_analytics, fill_billing, fill_portal, session
from tests.bench.timing import timed

DESKS = 200  # Users of the front desk besides the demo's: each one of the desk test is another.
# What the demo left to be done would look through all the patients that come now. The topic of the
# embedded broker is empty at every start: with an end that is known, it counts as complete.
SETTLE = """
    UPDATE patients_duplicatescan SET started_at = now(), ended_at = now(),
        noted_event = (SELECT max(pgh_id) FROM patients_patientevent);
    INSERT INTO events_topicend (topic, partition, next_offset) VALUES ('patient', 0, 0);
"""
USERS = """
    INSERT INTO accounts_user ({columns}, email)
    SELECT {columns}, 'desk' || n || '@bench.example'
    FROM accounts_user, generate_series(1, %s) AS n WHERE email = 'frontdesk@demo.example';
    INSERT INTO accounts_user_groups (user_id, group_id)
    SELECT added.id, theirs.group_id FROM accounts_user AS added, accounts_user AS model
    JOIN accounts_user_groups AS theirs ON theirs.user_id = model.id
    WHERE model.email = 'frontdesk@demo.example' AND added.email LIKE '%%@bench.example';
"""
SEAL = "from portal.audit.services import seal_logs; seal_logs()"
RECOUNT = """
from sqlalchemy import make_url
from analytics_stream.audit import recount
from analytics_stream.database import open_engine
import os
url = make_url(os.environ["ANALYTICS_DATABASE_URL"]).set(drivername="postgresql+psycopg2")
recount(open_engine(url))
"""


def _prepare(environment: Mapping[str, str]) -> None:
    prepare(environment, root=ROOT)
    add_demo(environment, root=ROOT)


def main(count: int) -> None:
    environment = os.environ
    urls = {
        name: environment[f"{name}_DATABASE_URL".lstrip("_")]
        for name in ("", "BILLING", "ANALYTICS")
    }
    server, portal = server_of(urls[""]), urls[""]
    timed("the tables and the demo", lambda: _prepare(environment))
    timed("patients", lambda: fill_portal(server.url("portal"), count))
    add_users(portal)
    timed("accounts", lambda: fill_billing(portal, urls["BILLING"]))
    timed("states", lambda: fill_analytics(portal, urls["ANALYTICS"]))
    with session(urls["ANALYTICS"]) as cursor:
        cursor.execute(
            "UPDATE last_event SET occurred_at = (SELECT max(occurred_at) FROM counted_event)"
        )
    timed("figures", lambda: run("-c", RECOUNT))
    timed("seals", lambda: run("manage.py", "shell", "-c", SEAL))
    timed("the baseline", lambda: fill_plain(server, portal))
    with session(server.url("postgres")) as cursor:
        copy = "CREATE DATABASE alone TEMPLATE portal STRATEGY file_copy"
        timed("a copy", lambda: cursor.execute(copy))
        cursor.execute("CHECKPOINT")


def add_users(portal: str) -> None:
    with session(portal) as cursor:
        cursor.execute(SETTLE)
        cursor.execute(
            "SELECT string_agg(column_name, ', ') FROM information_schema.columns"
            " WHERE table_name = 'accounts_user' AND column_name NOT IN ('id', 'email')"
        )
        cursor.execute(USERS.format(columns=cursor.fetchone()[0]), [DESKS])


def fill_plain(server: Postgres, portal: str) -> None:
    from tests.bench.plain_drf.fill import fill

    password = os.environ["DEMO_PASSWORD"]
    url = server.give_database("plain", user="plain", password=password)
    os.environ["PLAIN_DATABASE_URL"] = url
    fill(portal, password=password)


def server_of(url: str) -> Postgres:
    """Returns the server behind a URL of one of its databases, with the superuser's password."""
    socket_dir = Path(parse_qs(urlsplit(url).query)["host"][0])
    secrets = read_variables(Path(os.environ[RUN_VARIABLE]) / "secrets.env")
    return Postgres(0, socket_dir, secrets["POSTGRES_PASSWORD"])


def run(*arguments: str) -> None:
    quiet = {**os.environ, "LOG_LEVEL": "ERROR"}
    subprocess.run(
        [sys.executable, *arguments], cwd=ROOT, check=True, stdout=subprocess.DEVNULL, env=quiet
    )


if __name__ == "__main__":
    main(int(sys.argv[1]))
