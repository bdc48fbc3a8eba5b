"""The whole system on one machine: an embedded cloud and a front door. Never deployed."""
