"""Venues, chain and prices of a simulated market; only its arithmetic is not made up."""
