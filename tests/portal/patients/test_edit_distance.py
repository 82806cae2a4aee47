"""The edit distance of names is the optimal string alignment distance, in every script."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from portal.patients.names.similarity import edit_distance

# Few letters of each script, so that words share letters, repeat them and swap them.
SCRIPTS = [
    "abc",
    "aeßøłþé",
    "иваонцё",
    "παςσό",
    "राजेशपक",
    "李王小",
    "אבג",
    "محمد",
    "a'и李\U0001f642",
]
words = st.sampled_from(SCRIPTS).flatmap(lambda letters: st.text(alphabet=letters, max_size=12))
pairs = st.sampled_from(SCRIPTS).flatmap(
    lambda letters: st.tuples(*[st.text(alphabet=letters, max_size=12)] * 2)
)


def reference_distance(first: str, second: str) -> int:
    """Fills in the table of Boytsov 2011: add, drop, change, or swap with the next letter."""
    table = [[0] * (len(second) + 1) for _ in range(len(first) + 1)]
    for i in range(len(first) + 1):
        for j in range(len(second) + 1):
            if i == 0 or j == 0:
                table[i][j] = i + j
                continue
            is_change = first[i - 1] != second[j - 1]
            ways = [table[i - 1][j] + 1, table[i][j - 1] + 1, table[i - 1][j - 1] + is_change]
            if i > 1 and j > 1 and first[i - 2 : i] == second[j - 1] + second[j - 2]:
                ways.append(table[i - 2][j - 2] + 1)
            table[i][j] = min(ways)
    return table[-1][-1]


@settings(deadline=None, max_examples=2000)
@given(pairs)
def test_two_words_of_one_script_have_the_distance_of_the_table(pair):
    assert edit_distance(*pair) == reference_distance(*pair)


@settings(deadline=None, max_examples=500)
@given(words, words)
def test_words_of_any_two_scripts_have_the_distance_of_the_table(first, second):
    assert edit_distance(first, second) == reference_distance(first, second)


@pytest.mark.parametrize(
    ("first", "second", "distance"),
    [
        ("", "", 0),
        ("smith", "smith", 0),
        ("smiht", "smith", 1),
        ("иваонв", "иванов", 1),
        ("ca", "abc", 3),  # The unrestricted Damerau-Levenshtein distance is 2.
    ],
)
def test_no_letter_is_changed_twice(first, second, distance):
    assert edit_distance(first, second) == distance
