"""How Django writes and reads dates, for the setting FORMAT_MODULE_PATH."""
