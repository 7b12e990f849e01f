"""How a piece of code is read: its scopes and bindings, its control flow, and what it does with names and keys."""
