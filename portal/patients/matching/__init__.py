"""Who may be here already: the rules of matching, the look-up, and what stands in the way of a second record."""
