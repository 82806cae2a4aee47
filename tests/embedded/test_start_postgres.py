"""Starting, keeping and recovering PostgreSQL."""

import os

import psycopg2


def test_a_role_cannot_enter_another_roles_database():
    url = os.environ["BILLING_DATABASE_URL"].replace("/billing?", "/portal?")
    try:
        psycopg2.connect(url)
    except psycopg2.OperationalError as e:
        assert "permission denied" in str(e)
