"""The venues' arithmetic and the choice of route: integers and the standard library only."""
