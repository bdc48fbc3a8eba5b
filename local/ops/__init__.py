"""What an operator does to a running stack: the embedded one of `make up`, or one on AWS."""
