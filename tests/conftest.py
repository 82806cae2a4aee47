"""What every test may need, and an honest list of what was left out."""

import os
import shutil

import pytest

NEEDS = {
    "kafka": lambda: shutil.which("java") and shutil.which("mvn"),
    "browser": lambda: shutil.which("chromium"),
}
LACKING = {
    "kafka": "needs Java and Maven for a real Apache Kafka",
    "browser": "needs chromium",
}


def pytest_runtest_setup(item):
    """A marked test is left out where its need is missing, or fails when REQUIRE names the need."""
    required = os.environ.get("REQUIRE", "").split(",")
    for need, is_met in NEEDS.items():
        if item.get_closest_marker(need) and not is_met():
            (pytest.fail if need in required else pytest.skip)(LACKING[need])
