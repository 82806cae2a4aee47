"""The web server's threads hold no more connections to the database than they have work for."""

import threading
from queue import Queue

from portal import web_threads
from portal.web_threads import ThreadPool

LONGEST_SECONDS = 30.0  # That a test waits.


class Work:
    """A request as the pool sees it: it notes its thread, and ends when it may."""

    def __init__(self, threads: Queue[str], may_end: threading.Event) -> None:
        self.threads, self.may_end = threads, may_end

    def service(self) -> None:
        self.threads.put(threading.current_thread().name)
        self.may_end.wait(LONGEST_SECONDS)

    def cancel(self) -> None:
        pass


def wait_until_idle(pool: ThreadPool) -> None:
    deadline = threading.Event()
    for _ in range(3_000):
        with pool.lock:
            if not pool.active_count and not pool.queue:
                return
        deadline.wait(0.01)
    raise AssertionError("Threads are still at work.")


def test_one_request_after_another_keeps_one_thread_at_work():
    pool, threads, may_end = ThreadPool(), Queue[str](), threading.Event()
    may_end.set()
    pool.set_thread_count(4)
    wait_until_idle(pool)
    used = set()
    for _ in range(20):
        pool.add_task(Work(threads, may_end))
        used.add(threads.get(timeout=LONGEST_SECONDS))
        wait_until_idle(pool)
    assert len(used) == 1
    pool.shutdown()


def test_requests_at_once_take_a_thread_each_and_all_are_served():
    pool, threads, may_end = ThreadPool(), Queue[str](), threading.Event()
    pool.set_thread_count(4)
    wait_until_idle(pool)
    for _ in range(9):
        pool.add_task(Work(threads, may_end))
    assert len({threads.get(timeout=LONGEST_SECONDS) for _ in range(4)}) == 4
    may_end.set()
    for _ in range(5):
        threads.get(timeout=LONGEST_SECONDS)
    wait_until_idle(pool)
    assert pool.shutdown()
    assert not pool.threads


def test_an_idle_thread_closes_its_connection_and_serves_again(monkeypatch):
    closed = Queue[str]()
    monkeypatch.setattr(
        web_threads, "close_connections", lambda: closed.put(threading.current_thread().name)
    )
    pool, threads, may_end = ThreadPool(idle_seconds=0.05), Queue[str](), threading.Event()
    may_end.set()
    pool.set_thread_count(2)
    assert len({closed.get(timeout=LONGEST_SECONDS) for _ in range(2)}) == 2
    for _ in range(2):
        pool.add_task(Work(threads, may_end))
        name = threads.get(timeout=LONGEST_SECONDS)
        assert closed.get(timeout=LONGEST_SECONDS) == name
    pool.shutdown()


def test_a_thread_closes_what_it_opened_and_no_more(db):
    from django.db import connection

    answers = Queue[bool]()

    def open_and_close() -> None:
        connection.ensure_connection()
        web_threads.close_connections()
        answers.put(connection.connection is None)

    connection.ensure_connection()
    thread = threading.Thread(target=open_and_close)
    thread.start()
    thread.join(LONGEST_SECONDS)
    assert answers.get(timeout=LONGEST_SECONDS)
    assert connection.is_usable()
