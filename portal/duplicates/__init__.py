"""Possible duplicates: pairs of records that may be one person, and the merge of two records."""
