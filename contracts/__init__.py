"""The contracts as files, made from the code: never deployed, checked for drift by the tests."""
