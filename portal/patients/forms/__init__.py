"""The forms of a patient."""
