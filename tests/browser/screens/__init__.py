"""`make screenshots`: a picture of every page and state of a portal with made-up patients."""
