"""What fills the ports: DynamoDB, SQS, the WebSocket API, and the simulated market and chain."""
