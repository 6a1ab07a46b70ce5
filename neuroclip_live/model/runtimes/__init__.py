"""Ways to run an image tower, each in a file of its own."""
