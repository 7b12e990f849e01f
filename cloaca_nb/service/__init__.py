"""The faces without a person: schedules, daemon and server have their place here."""
