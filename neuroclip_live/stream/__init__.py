"""Events on their way to a frame: ordered, treated, kept in the ring, cut into slices, painted."""
