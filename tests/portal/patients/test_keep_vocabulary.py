"""The vocabulary knows every word of every name, and the words that are similar to it."""

import threading

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from structlog.testing import capture_logs

from portal.patients.models import NameWord, Patient
from portal.patients.names import vocabulary
from portal.patients.names.phonetics import phonetic_key
from portal.patients.names.vocabulary import delete_unused_words, find_similar_words
from portal.patients.normalize import fold
from portal.patients.services import (
    archive_patient,
    change_patient,
    change_patients,
    register_patient,
    register_patients,
)

pytestmark = pytest.mark.django_db
NAMES = """
    Smith Smyth Schmidt McDonald Macdonald Mackay McHugh MacIntyre Knight Gnocchi Pneuma
    Psathas Wright Phillips Xavier Maxwell Nietzsche Tschaikowski Shah Zhang Sjöberg Czerny
    Bach Koch Christian Chloe Chavez Callaghan Singh Rodgers Geoffrey George Garcia Cécile
    Schulz Schultz Fitzgerald Wagner Edwards Howard Yusuf Yvonne Lamb Thompson Simpson
    Hampton Quinn Zoë Lee Lowe Strauß Sørensen Łukasz Đorđević Æthel Þór Иванов 李 Aaa Eek
    O'Brien Ee X Ng Nguyen Iñigo Jiří Ümit İlknur Szymański Wojciech
"""


def call_sql(function, word):
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {function}(%s)", [word])
        return cursor.fetchone()[0]


@pytest.mark.parametrize("name", NAMES.split())
def test_python_and_sql_give_a_name_the_same_phonetic_key(name):
    assert call_sql("patients_sound", fold(name)) == phonetic_key(fold(name))


def words():
    return set(NameWord.objects.values_list("word", flat=True))


def used_words():
    """Returns what the vocabulary should hold: the words of the names of all patients.

    A name of several words is there as one word too.
    """
    found = set()
    for patient in Patient.objects.all():
        for name in map(fold, _names(patient)):
            found |= {*name.split(), name.replace(" ", "")}
    return found - {""}


def _names(patient):
    return patient.family_name, patient.given_name, patient.middle_name, patient.preferred_name


def test_every_channel_adds_new_words_to_the_vocabulary(tmp_path):
    register_patient({"family_name": "Ågren-Smith", "given_name": "Zoë"}, by=None, source="portal")
    register_patients(
        [{"family_name": "Bulk"}, {"family_name": "Bulk", "given_name": "Two"}],
        by=None,
        source="import",
    )
    rows = tmp_path / "people.csv"
    rows.write_text("Copied,Carl\nCopied,Cora\n")
    with connection.cursor() as cursor, rows.open() as file:
        cursor.copy_expert("COPY patients_patient (family_name, given_name) FROM STDIN CSV", file)
        cursor.execute("INSERT INTO patients_patient (family_name) VALUES ('O''Raw')")
    assert words() == used_words() >= {"agren", "zoe", "bulk", "two", "copied", "cora", "oraw"}


def test_the_vocabulary_follows_changes_archiving_and_merges():
    patient = register_patient(
        {"family_name": "Before", "given_name": "Ann"}, by=None, source="portal"
    )
    change_patient(
        patient.pk, {"family_name": "Changed", "preferred_name": "Annie"}, by=None, source="api"
    )
    change_patients([(patient.pk, {"middle_name": "Bulk"})], by=None, source="import")
    assert words() == used_words() | {"before"}
    archive_patient(patient.pk, by=None, source="portal")
    assert words() >= used_words() >= {"changed", "annie", "bulk"}
    other = register_patient({"family_name": "Other"}, by=None, source="portal")
    Patient.objects.filter(pk=patient.pk).update(
        status="merged", merged_into=other, given_name="Merged"
    )
    assert words() >= used_words() >= {"merged"}


def test_only_words_that_no_patient_has_are_deleted():
    patient = register_patient(
        {"family_name": "Erased", "given_name": "Ann"}, by=None, source="portal"
    )
    register_patient({"family_name": "Kept", "given_name": "Ann"}, by=None, source="portal")
    archived = register_patient({"family_name": "Archived"}, by=None, source="portal")
    archive_patient(archived.pk, by=None, source="portal")
    # Two transactions that add one word at once leave a second copy.
    NameWord.objects.create(word="kept")
    Patient.objects.filter(pk=patient.pk).delete()
    delete_unused_words()
    assert sorted(NameWord.objects.values_list("word", flat=True)) == ["ann", "archived", "kept"]


def test_words_are_deleted_in_batches(monkeypatch):
    monkeypatch.setattr(vocabulary, "DELETE_BATCH_SIZE", 2)
    NameWord.objects.bulk_create(
        [NameWord(word=word) for word in ("aaa", "bbb", "ccc", "ddd", "eee")]
    )
    with CaptureQueriesContext(connection) as call_sql:
        assert delete_unused_words() == 5
    assert sum("LOCK TABLE" in query["sql"] for query in call_sql) == 3
    assert not NameWord.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_words_wait_for_the_next_night_during_a_long_transaction():
    NameWord.objects.create(word="unborne")
    has_written, may_end = threading.Event(), threading.Event()

    def long_import():
        with transaction.atomic():
            Patient.objects.create(family_name="Example")
            has_written.set()
            may_end.wait(30)
        connection.close()

    writer = threading.Thread(target=long_import)
    writer.start()
    assert has_written.wait(30)
    try:
        with capture_logs() as events:
            assert delete_unused_words(lock_timeout_ms=50) == 0
    finally:
        may_end.set()
        writer.join()
    assert events == [{"event": "unused_words_left", "left": 1, "log_level": "warning"}]
    assert delete_unused_words() == 1


@pytest.mark.parametrize(
    ("typed", "word"),
    [
        ("smiht", "smith"),
        ("smth", "smith"),
        ("smiith", "smith"),
        ("smoth", "smith"),
        ("ane", "ann"),
        ("papadopulos", "papadopoulos"),
        ("apapdopoulos", "papadopoulos"),
        ("papadopoloss", "papadopoulos"),
        ("hernadnes", "hernandez"),
        ("иваонв", "иванов"),
    ],
)
def test_words_one_or_two_slips_away_are_similar(typed, word):
    NameWord.objects.bulk_create([NameWord(word=known) for known in (word, "unlike", "zzz")])
    assert [near.word for near in find_similar_words(typed, limit=40)] == [word]


@pytest.mark.parametrize("typed", ["ab", "12345", "zu", ""])
def test_a_short_word_or_a_number_has_no_similar_words(typed):
    NameWord.objects.bulk_create([NameWord(word=known) for known in ("ac", "12346", "zo")])
    assert find_similar_words(typed, limit=40) == []
