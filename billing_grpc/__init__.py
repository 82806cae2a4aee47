"""The billing server: one account for each patient, over gRPC, with a database of its own."""
