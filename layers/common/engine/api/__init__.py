"""The edges: what clients send and see over HTTP and the WebSocket, and Lambda's events."""
