"""How an import goes: batches, the patients or a rehearsal of them, and the book of progress."""
