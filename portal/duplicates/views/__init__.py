"""The pages of possible duplicates: the worklist, and the merge of two records."""
