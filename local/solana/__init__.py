"""A Solana of our own: a node over LiteSVM, pools of both venues, faults at will."""
