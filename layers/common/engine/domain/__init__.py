"""Orders, their life cycle, money and tokens: the standard library only, no input or output."""
