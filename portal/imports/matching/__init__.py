"""What a row is about: which patient it means, what it says that is new, and what becomes of it."""
