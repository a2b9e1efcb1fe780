"""How well a network segments or reconstructs."""
