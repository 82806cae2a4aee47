"""The words of all names: a search for a mistyped word reads them and not a million patients."""

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import Func


class NameWord(models.Model):
    """A folded word of a name, with the keys that find it.

    Triggers on patients add the words. Two transactions may add a word at once, and then it is here
    twice: a unique index would make one of them wait for the other's end, which may be an import's.
    """

    word = models.TextField(db_collation="C")
    sound = models.GeneratedField(
        expression=Func("word", function="patients_sound"),
        output_field=models.TextField(db_collation="C"),
        db_persist=True,
    )
    # Numbers for the word without one or two of its first letters: similar words share a number.
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
