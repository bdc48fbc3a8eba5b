"""The embedded cloud, and the stack that is deployed to it."""
