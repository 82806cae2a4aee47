"""A process loads only what it uses: memory is short in a small clinic."""

import os
import subprocess
import sys

import pytest

from embedded.environment import PROCESS_DEFAULTS
from portal.lean_imports import hidden

PROCESSES = {
    "web": "import portal.wsgi",
    "web's parent": "import portal.gunicorn, portal.web_worker",
    "relay": (
        "import django; django.setup()\n"
        "import portal.events.relay, portal.relay_loops\n"
        "portal.relay_loops.registered_loops()"
    ),
    "worker": "from portal.celery import app; app.loader.import_default_modules()",
    "billing": "import billing_grpc.__main__, billing_grpc.server",
    "analytics": "import analytics_stream.__main__, analytics_stream.app",
}
UNUSED = {
    "web": {"celery", "kombu", "rich", "requests"},
    "web's parent": {"celery", "django.conf", "django.http", "rich"},
    "relay": {"celery", "rest_framework.views", "rich"},
    "worker": {"grpc", "kafka", "portal.patients.admin", "rich"},
    "billing": {"django.conf", "rich"},
    "analytics": {"django.conf", "rich"},
}


@pytest.mark.parametrize("process", PROCESSES)
def test_a_process_loads_nothing_that_it_never_uses(process):
    code = f"import sys\n{PROCESSES[process]}\nprint(*filter(sys.modules.get, sys.modules))"
    environment = {
        **os.environ,
        **PROCESS_DEFAULTS,
        "DJANGO_SETTINGS_MODULE": "portal.settings",
    }
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    loaded = UNUSED[process] & set(done.stdout.split())
    assert loaded == set()


def test_a_module_is_hidden_for_the_block_alone():
    with hidden("this_is_loaded_nowhere"):
        assert "this_is_loaded_nowhere" in sys.modules
    assert "this_is_loaded_nowhere" not in sys.modules


def test_a_module_that_is_loaded_stays():
    before = sys.modules["os"]
    with hidden("os"):
        assert sys.modules["os"] is before
    assert sys.modules["os"] is before
