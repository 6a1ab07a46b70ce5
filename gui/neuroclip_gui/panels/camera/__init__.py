"""The camera in use: what can be set on it, and which cameras there are."""
