"""Logs: facts with keys, one a decision."""

from aws_lambda_powertools import Logger

#: One JSON line a fact; the service's name and the level come from the environment.
log = Logger()
