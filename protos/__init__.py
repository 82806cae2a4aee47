"""The contracts between the processes; `make protos` generates the Python beside each file."""
