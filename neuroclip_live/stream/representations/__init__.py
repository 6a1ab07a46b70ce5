"""Ways to make an image of a slice of events, each in a file of its own."""
