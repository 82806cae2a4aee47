"""Each planted bug is found by its broken promise; without a bug every story passes."""

import pytest

from tests.planted_bugs.bugs import BUGS
from tests.planted_bugs.story import Story
from tests.simulator.checks import Violation


@pytest.mark.parametrize("bug", BUGS, ids=str)
def test_the_bug_is_caught(world, bug):
    with bug.planted(world), pytest.raises(Violation) as caught:
        play(bug.story, world)
    assert str(caught.value).startswith(bug.promise)


@pytest.mark.parametrize(
    "story", dict.fromkeys(bug.story for bug in BUGS), ids=lambda story: story.__name__
)
def test_without_a_bug_the_story_ends_well(world, story):
    play(story, world)


def test_there_are_enough_bugs_and_each_has_a_name_of_its_own():
    assert len({bug.sentence for bug in BUGS}) == len(BUGS) >= 15


def play(story, world):
    """Runs the story, then heals the world and compares all stores."""
    scene = Story(world)
    story(scene)
    scene.end()
