"""The words that names are made of: a search asks them, and not a million patients, what a mistyped word may mean."""

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import Func


class NameWord(models.Model):
    """One folded word of somebody's name, with what finds it.

    Triggers on patients add the words. Two transactions may bring one word at once, and then it stands here twice: a
    unique index would make one of them wait for the other's end, which can be a whole import.
    """

    word = models.TextField(db_collation="C")
    sound = models.GeneratedField(
        expression=Func("word", function="patients_sound"),
        output_field=models.TextField(db_collation="C"),
        db_persist=True,
    )
    # Numbers for the word without one and without two of its first letters: misspelt alike, two words share one.
    parings = models.GeneratedField(
        expression=Func("word", function="patients_parings"),
        output_field=ArrayField(models.IntegerField()),
        db_persist=True,
    )

    class Meta:
        default_permissions = ()
        indexes = [
            models.Index(fields=["word"], name="name_word_itself"),
            models.Index(fields=["sound"], name="name_word_by_sound"),
            # Without fastupdate: a list of what is not sorted in yet would be read by every search.
            GinIndex(fields=["parings"], name="name_word_by_parings", fastupdate=False),
        ]

    def __str__(self) -> str:
        return f"name word {self.pk}"
