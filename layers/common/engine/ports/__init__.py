"""What the use cases need of the world, as protocols: the adapters and the fakes fill them."""
