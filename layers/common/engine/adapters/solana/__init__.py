"""Solana: the venues' pools as accounts, transactions, and what became of them."""
