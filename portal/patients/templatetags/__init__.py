"""Template filters of the patient pages."""
