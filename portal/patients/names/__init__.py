"""Names: how they sound, how similar their spellings are, and the vocabulary of all of them."""
