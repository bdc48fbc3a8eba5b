"""The one address before both APIs, with API Gateway's limits and words."""
