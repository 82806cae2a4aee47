"""Valkey starts with a password and ends."""

import pytest
import redis

from embedded.valkey import valkey
from tests.waits import has_ended


def test_it_serves_a_client_with_the_password(tmp_path):
    with valkey(tmp_path, password="sesame") as server, redis.from_url(server.url) as client:
        client.set("key", "value")
        assert client.get("key") == b"value"


def test_it_refuses_a_client_with_a_wrong_password(tmp_path):
    with valkey(tmp_path, password="sesame") as server, pytest.raises(redis.AuthenticationError):
        redis.from_url(server.url.replace("sesame", "guess")).ping()


def test_the_password_is_in_no_file_and_not_among_the_processes(tmp_path):
    with valkey(tmp_path, password="sesame") as server:
        with open(f"/proc/{server.pid}/cmdline") as file:
            assert "sesame" not in file.read()
        assert not any("sesame" in path.read_text() for path in tmp_path.iterdir())


def test_it_ends_with_its_block(tmp_path):
    with valkey(tmp_path, password="sesame") as server:
        pass
    assert has_ended(server.pid)
