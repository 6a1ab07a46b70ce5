"""What is written while events come in, and the repair of what was cut off."""
