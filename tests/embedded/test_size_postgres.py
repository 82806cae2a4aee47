"""PostgreSQL takes memory by the size of the machine, within bounds."""

import os
from pathlib import Path

import psycopg2
import pytest

from embedded import postgres_memory
from embedded.postgres import postgres
from embedded.postgres_memory import machine_bytes, memory_settings

GB = 2**30


@pytest.mark.parametrize(
    ("gigabytes", "buffers", "sorting"),
    [(1, "64MB", "4MB"), (4, "256MB", "4MB"), (24, "512MB", "16MB"), (512, "512MB", "16MB")],
)
def test_memory_follows_the_machine_within_bounds(gigabytes, buffers, sorting):
    settings = memory_settings(gigabytes * GB)
    assert (settings["shared_buffers"], settings["work_mem"]) == (buffers, sorting)


def test_postgresql_starts_with_the_settings_of_this_machine(short_tmp_path):
    sizes = memory_settings(machine_bytes())
    data = short_tmp_path / "postgres"
    with postgres(data, password="x", throw_away=True, sizes=sizes) as server:
        connection = psycopg2.connect(server.url("postgres"))
        with connection.cursor() as cursor:
            cursor.execute("SHOW shared_buffers")
            assert cursor.fetchone() == (sizes["shared_buffers"],)
        connection.close()


@pytest.mark.parametrize("limit", ["max\n", "1073741824\n", ""])
def test_a_container_counts_as_large_as_its_limit(tmp_path, monkeypatch, limit):
    file = Path(tmp_path) / "memory.max"
    if limit:
        file.write_text(limit)
    monkeypatch.setattr(postgres_memory, "CGROUP_LIMIT", file)
    machine = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    assert machine_bytes() == (min(GB, machine) if limit.startswith("1") else machine)


def test_servers_of_tests_stay_small(short_tmp_path):
    with postgres(short_tmp_path / "postgres", password="x", throw_away=True) as server:
        connection = psycopg2.connect(server.url("postgres"))
        with connection.cursor() as cursor:
            cursor.execute("SHOW shared_buffers")
            assert cursor.fetchone() == ("64MB",)
        connection.close()
