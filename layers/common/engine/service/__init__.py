"""The use cases, one a file: they know the ports, never the adapters."""
