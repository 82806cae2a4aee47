"""What the text in the search box may mean: its readings, the vocabulary of names, slips and sounds."""
