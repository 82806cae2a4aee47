"""Names: how they sound, how alike they are written, and the vocabulary of all of them."""
