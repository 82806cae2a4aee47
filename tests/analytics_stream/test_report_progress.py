"""A worker reports how far it is behind, and whether it hangs."""

from datetime import UTC, datetime, timedelta

import pytest

from analytics_stream.progress import PartitionProgress, Progress


class Clock:
    def __init__(self):
        self.now = 1_800_000_000.0

    def time(self):
        return self.now

    monotonic = time

    def ago(self, **span):
        return datetime.fromtimestamp(self.now, UTC) - timedelta(**span)


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr("analytics_stream.progress.time", clock)
    return clock


@pytest.fixture
def progress(clock):
    progress = Progress()
    progress.join()
    return progress


def partition(clock, next_offset, highwater, heard_ago=0.1):
    return PartitionProgress(next_offset, highwater, clock.now - heard_ago)


def test_caught_up_means_no_lag(progress, clock):
    progress.update({0: partition(clock, 7, 7), 1: partition(clock, 0, 0)})
    assert (progress.is_caught_up, progress.lag_seconds(), progress.messages_behind) == (
        True,
        0.0,
        0,
    )


def test_behind_the_lag_is_the_time_since_we_were_caught_up(progress, clock):
    progress.update({0: partition(clock, 7, 7)})
    clock.now += 4
    progress.update({0: partition(clock, 7, 9)})
    assert (progress.is_caught_up, progress.lag_seconds(), progress.messages_behind) == (
        False,
        4.0,
        2,
    )


def test_an_old_event_in_hand_makes_the_lag_as_long_as_it_waited(progress, clock):
    progress.update({0: partition(clock, 7, 9)})
    progress.begin_batch(clock.ago(hours=1))
    assert progress.lag_seconds() == 3600.0
    progress.end_batch()
    assert progress.lag_seconds() == 0.0


def test_a_new_worker_is_not_caught_up_before_it_knows(clock):
    progress = Progress()
    clock.now += 2
    progress.update({})
    assert (progress.is_caught_up, progress.lag_seconds()) == (False, 2.0)


@pytest.mark.parametrize(
    "unknown", [{"next_offset": None}, {"highwater": None}, {"heard_at": None}]
)
def test_a_partition_that_we_know_too_little_of_is_not_counted(progress, clock, unknown):
    known = {"next_offset": 7, "highwater": 7, "heard_at": clock.now}
    progress.update({0: PartitionProgress(**{**known, **unknown})})
    assert not progress.is_caught_up


def test_a_broker_that_is_silent_may_have_more(progress, clock):
    progress.update({0: partition(clock, 7, 7)})
    clock.now += 10
    progress.update({0: partition(clock, 7, 7, heard_ago=10)})
    assert (progress.is_caught_up, progress.lag_seconds()) == (False, 10.0)


def test_a_topic_that_was_made_anew_is_not_counted(progress, clock):
    progress.update({0: partition(clock, 7, 2)})
    assert not progress.is_caught_up


def test_while_partitions_change_hands_nothing_is_known(progress, clock):
    progress.update({0: partition(clock, 7, 7)})
    progress.update(None)
    assert not progress.is_caught_up


def is_stuck_after(progress, clock, seconds, partitions):
    """Tells whether the worker is stuck after so long with an update every second."""
    for _ in range(seconds):
        clock.now += 1
        progress.update(partitions(clock))
    return progress.is_stuck()


def test_messages_that_wait_while_nothing_moves_mean_that_we_hang(progress, clock):
    assert not is_stuck_after(progress, clock, 29, lambda clock: {0: partition(clock, 7, 9)})
    assert is_stuck_after(progress, clock, 2, lambda clock: {0: partition(clock, 7, 9)})


def test_having_nothing_to_do_is_no_hanging(progress, clock):
    assert not is_stuck_after(progress, clock, 600, lambda clock: {0: partition(clock, 7, 7)})


def test_a_batch_that_is_done_is_a_move(progress, clock):
    assert not is_stuck_after(progress, clock, 25, lambda clock: {0: partition(clock, 7, 9)})
    progress.record_move()
    assert not is_stuck_after(progress, clock, 25, lambda clock: {0: partition(clock, 8, 9)})


def test_a_known_trouble_is_no_hanging_however_long(progress, clock):
    for _ in range(1000):
        progress.restart_waits()
        assert not is_stuck_after(progress, clock, 3, lambda clock: {0: partition(clock, 7, 9)})


def test_one_partition_that_stays_while_others_move_is_noticed(progress, clock):
    def step(_):
        progress.record_move()
        return {0: partition(clock, 7, 9), 1: partition(clock, int(clock.now), 10**12)}

    assert not is_stuck_after(progress, clock, 300, step)
    assert is_stuck_after(progress, clock, 3, step)


def test_an_event_loop_that_hangs_is_noticed(progress, clock):
    progress.update({0: partition(clock, 7, 7)})
    clock.now += 31
    assert progress.is_stuck()


def test_a_group_has_longer_to_hand_out_partitions(clock):
    progress = Progress()
    assert not is_stuck_after(progress, clock, 89, lambda clock: None)
    assert is_stuck_after(progress, clock, 2, lambda clock: None)
