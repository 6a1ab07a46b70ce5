"""Several things at once: regions of activity, tracks through time, and a word for each."""
