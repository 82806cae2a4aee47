"""Files as they come in real life: each rebuilt in small, tried, imported, and compared."""
