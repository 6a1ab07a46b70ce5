"""The event frames behind the newest decision."""
