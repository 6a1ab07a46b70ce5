"""Teaching by showing."""
