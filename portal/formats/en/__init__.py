"""The formats of the language of the pages."""
