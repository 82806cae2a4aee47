"""Static files are collected once, with their hash in the name, and again when a source changes."""

import os
import shutil

import httpx
import pytest

from embedded import static_files
from embedded.environment import ROOT
from embedded.static_files import collect_static_files
from tests.portal.web_server import running_web_server


@pytest.fixture(scope="module")
def collected(tmp_path_factory):
    folder = tmp_path_factory.mktemp("static") / "static"
    environment = {
        **os.environ,
        "STATIC_ROOT": str(folder),
        "PORTAL_DATA_DIR": str(folder.parent),
    }
    collect_static_files(environment, root=ROOT)
    return environment, folder


def test_they_are_collected_again_when_a_source_has_changed(collected, monkeypatch, tmp_path):
    environment, folder = collected
    before = folder.stat().st_ino
    collect_static_files(environment, root=ROOT)
    assert folder.stat().st_ino == before
    copy = tmp_path / "static"
    shutil.copytree(folder, copy)
    monkeypatch.setattr(static_files, "describe_sources", lambda root: "others")
    (copy / "left").write_text("of an earlier version")
    collect_static_files({**environment, "STATIC_ROOT": str(copy)}, root=ROOT)
    assert not (copy / "left").exists()


def test_pages_name_them_by_their_hash_and_browsers_keep_them(collected, tmp_path):
    _, folder = collected
    with running_web_server(tmp_path, STATIC_ROOT=str(folder)) as server:
        page = server.get("/sign-in/").text
        address = page.partition('rel="stylesheet" href="')[2].partition('"')[0]
        style = server.get(address, headers={"Accept-Encoding": "gzip"})
    assert style.status_code == httpx.codes.OK
    assert style.headers["Content-Encoding"] == "gzip"
    assert "immutable" in style.headers["Cache-Control"]
