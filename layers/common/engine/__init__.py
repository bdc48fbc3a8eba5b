"""The order execution engine: one package, shared by every function as a Lambda layer."""
