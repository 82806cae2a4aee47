"""Each planted bug is found, by a broken promise and not by an accident; without a bug every story is green."""

import pytest

from tests.planted_bugs.bugs import BUGS
from tests.planted_bugs.story import Telling
from tests.simulator.checks import Violation


@pytest.mark.parametrize("bug", BUGS, ids=str)
def test_the_bug_is_caught(world, bug):
    with bug.planted(world), pytest.raises(Violation) as caught:
        told(bug.story, world)
    assert str(caught.value).startswith(bug.promise)


@pytest.mark.parametrize(
    "story", dict.fromkeys(bug.story for bug in BUGS), ids=lambda story: story.__name__
)
def test_without_a_bug_the_story_ends_well(world, story):
    told(story, world)


def test_there_are_enough_bugs_and_each_has_a_name_of_its_own():
    assert len({bug.sentence for bug in BUGS}) == len(BUGS) >= 15


def told(story, world):
    tell = Telling(world)
    story(tell)
    tell.end()
