"""The order execution engine's command line (`oee`), and its client for Python (`oee.client`)."""
