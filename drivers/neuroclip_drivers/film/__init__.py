"""Films and webcams before a simulated sensor: frames become events."""
