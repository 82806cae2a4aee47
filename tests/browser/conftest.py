"""A real browser against the real pages, on a server in this process with the test's database."""

import os

import pytest
from playwright.sync_api import expect, sync_playwright

from portal.accounts.models import User
from tests.browser.steps import Staff
from tests.portal.conftest import PASSWORD, _quick_passwords, front_desk, make_user

# The browser's driver runs an event loop in this thread, which Django takes for asynchronous code.
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
expect.set_options(timeout=60_000)  # Milliseconds: a busy machine is slow.
FLAGS = ["--no-sandbox"] if os.geteuid() == 0 else []

__all__ = ["_quick_passwords", "front_desk", "make_user"]


def pytest_collection_modifyitems(items):
    for item in items:
        if "tests/browser/" in item.nodeid:
            item.add_marker(pytest.mark.browser)
            item.add_marker(pytest.mark.django_db(transaction=True))


@pytest.fixture(scope="module")
def chromium():
    """A browser for a file of tests: beside its driver's event loop no other one can run."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def staff(chromium, live_server):
    """Opens browsers: in that of `staff(user)` the user has signed in; each has its own cookies."""
    contexts, people = [], []

    def open_browser(user: User | None = None, *, scripts: bool = True, width: int = 1280) -> Staff:
        context = chromium.new_context(
            base_url=live_server.url,
            java_script_enabled=scripts,
            viewport={"width": width, "height": 800},
        )
        contexts.append(context)
        person = Staff(context.new_page())
        people.append(person)
        if user:
            person.sign_in(user.email, PASSWORD)
        return person

    yield open_browser
    for context in contexts:
        context.close()
    assert not [fault for person in people for fault in person.faults]


@pytest.fixture
def desk(staff, front_desk):
    """A browser in which the front desk has signed in."""
    return staff(front_desk)
