"""The stream processor, from its rules to its process."""
