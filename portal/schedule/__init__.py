"""When the nightly and recurring work starts, and whether the scheduler runs."""
