"""The list of prompts, and what can be done with it."""
