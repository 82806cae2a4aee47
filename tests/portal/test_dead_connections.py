"""A connection that the server ended is seen before the next request, without asking the server."""

import psycopg2
import pytest
from django.db import connection

pytestmark = pytest.mark.django_db(transaction=True)


def end_connection():
    """Ends the portal's connection as a restart of the server does."""
    connection.ensure_connection()
    pid = connection.connection.info.backend_pid
    with psycopg2.connect(**connection.get_connection_params()) as other, other.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s, 5000)", [pid])
        assert cursor.fetchone() == (True,)
    other.close()


def test_a_living_connection_is_usable(django_assert_num_queries):
    connection.ensure_connection()
    with django_assert_num_queries(0):
        assert connection.is_usable()


def test_an_ended_connection_is_not():
    end_connection()
    assert not connection.is_usable()
    connection.close()


def test_a_prepared_statement_is_prepared_anew(desk_api):
    """Red when the names of the old connection are believed on the new one."""
    place = desk_api.post("/api/patients", {"name": "A Person"}, format="json").headers["Location"]
    assert desk_api.get(place).status_code == 200
    end_connection()
    assert desk_api.get(place).status_code == 200
