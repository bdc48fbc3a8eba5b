"""The HTTP API's calls, a file a subject: each adds its own to a resolver."""
