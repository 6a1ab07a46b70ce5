"""The answer in large letters."""
