"""The adapters on AWS."""
