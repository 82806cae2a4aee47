"""`make screenshots`: a picture of every page and state, taken from a whole portal with made-up patients."""
