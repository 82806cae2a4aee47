"""Every number that decides what search finds and in which order, in one place."""

from dataclasses import dataclass
from fractions import Fraction


@dataclass(frozen=True)
class SearchTuning:
    """The numbers of search, each with its unit and the effect of raising it.

    A slip is one letter added, left out, changed or swapped with the next one. A bearer of a
    name is a patient who has it.
    """

    # How much a statement reads (statements).
    page_sizes: tuple[int, ...] = (51, 201)  # patients; a page reads the next larger one at most
    max_prepared: int = 100  # shapes of texts; raised: each connection remembers more plans

    # How the typed text is understood (typed_text, query, dates).
    max_text_length: int = 200  # characters that are read; raised: long pasted texts take longer
    min_tail_length: int = 3  # characters; raised: short ends of phones and identifiers find less
    min_mrn_tail_length: int = 4  # digits; raised: short ends of MRNs find less, and hide less
    min_whole_phone_length: int = 7  # digits; raised: longer numbers still count as an end only
    max_name_words: int = 6  # words; raised: more words of a long text narrow the search
    orders_by_accent: int = (
        2  # orders of the words looked for with their accents first; raised: slower
    )
    max_narrowing_words: int = 8  # words of a date or number beside a name; raised: slower
    min_words_with_middle: int = 3  # words; raised: fewer middle names may be missing in the record
    most_words_lacking: int = 2  # words; raised: finds more records with fewer names, slower
    joined_neighbours: tuple[int, ...] = (2, 3)  # words read as one; more sizes: slower
    max_initial_length: int = 2  # letters; raised: longer words are initials too
    earliest_birth_year: int = 1850  # year; raised: earlier years are no dates of birth

    # When fuzzy hits are shown (engine, fuzzy).
    enough_exact_hits: int = 10  # patients; raised: fuzzy hits are added to longer lists
    max_fuzzy_hits: int = 50  # patients; raised: the list of fuzzy hits goes on for longer
    exact_hits_first: int = 6  # patients; raised: bearers of a commoner name stand further down
    # Changes since the first page; raised: after more of them, patients keep their first place.
    max_changes: int = 1_000
    moment_seconds: float = 0.05  # age of a list's moment; raised: longer cursors, fewer statements
    max_seen: int = 100  # changes of a moment that a cursor names; raised: longer cursors
    commoner_hits: int = 4  # patients; raised: more bearers of commoner names are shown

    # Which names may be meant (candidates, fuzzy).
    similar_words: int = 80  # words for each typed word; raised: finds more names, slower
    similar_joined_words: int = 40  # words for typed words that are read as one (`mc donld`)
    max_joined_words: int = 3  # words; raised: longer texts are read as one word too
    max_particle_length: int = 3  # letters of the first word; raised: longer ones are joined
    max_close_cost: float = 1.0  # slips; raised: words further off count as close
    close_words: int = 10  # words for each of several mistyped words; raised: finds more, slower
    max_combinations: int = 1_000  # ways to replace several words; raised: finds more, slower
    max_name_candidates: int = 160  # names for several typed words; raised: finds more, slower

    # Which of them come first (candidates, fuzzy).
    max_bearers_counted: int = 500  # bearers; raised: tells very common names apart
    slip_penalty: float = 4.0  # per slip, in powers of e bearers; raised: slips outweigh frequency
    min_prefix_share: Fraction = Fraction(1, 3)  # of all names with this prefix, to count as likely
    names_tried: int = 12  # names whose bearers are read; raised: rarer names are found, slower
    # Patients shown first of each likely name, so that none hides the others.
    hits_per_name: tuple[int, ...] = (2, 1, 1, 1, 1, 1, 1, 1, 1)
    enough_name_hits: int = 10  # patients; raised: words inside names are looked for more often
    max_compared_rows: int = 100  # patients compared for words inside names; raised: slower
    aside_cost: float = 0.25  # slips; raised: middle and preferred names stand further down


SEARCH = SearchTuning()
