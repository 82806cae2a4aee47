"""The forms of an import: its file, its columns, and decisions about its rows."""
