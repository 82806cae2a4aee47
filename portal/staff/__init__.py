"""Shared parts of all browser pages: layout, look, form fields, template filters, admin menu."""
