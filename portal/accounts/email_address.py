"""The one spelling of an e-mail address, by which a user is stored, found and locked out."""

import unicodedata


def normalise_email(text: str) -> str:
    """Returns the address without look-alikes of its letters: NFKC, case folded, no outer blanks.

    PostgreSQL and Python differ in whether `\u017f` is an `s`. Were an address compared in two
    ways, each spelling would have guesses of its own.
    """
    folded = unicodedata.normalize("NFKC", text).casefold()
    return unicodedata.normalize("NFKC", folded).strip()
