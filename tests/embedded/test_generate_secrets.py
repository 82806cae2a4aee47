"""Secrets are generated once, in a file that only its owner can read."""

import stat

from embedded.secrets import BYTES, ensure_secrets


def test_the_second_start_finds_the_secrets_of_the_first(tmp_path):
    first = ensure_secrets(tmp_path / "secrets.env")
    assert ensure_secrets(tmp_path / "secrets.env") == first


def test_two_machines_have_nothing_in_common(tmp_path):
    here, there = ensure_secrets(tmp_path / "here"), ensure_secrets(tmp_path / "there")
    assert len({*here.values(), *there.values()}) == 2 * len(BYTES)


def test_only_the_owner_can_read_the_file(tmp_path):
    ensure_secrets(tmp_path / "secrets.env")
    assert stat.S_IMODE((tmp_path / "secrets.env").stat().st_mode) == 0o600


def test_a_secret_that_came_with_a_newer_version_is_added_to_the_others(tmp_path):
    file = tmp_path / "secrets.env"
    file.write_text("SECRET_KEY=a=b=\n")
    assert ensure_secrets(file)["SECRET_KEY"] == "a=b="
    assert set(ensure_secrets(file)) == set(BYTES)
