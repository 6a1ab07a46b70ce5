"""A stretch of a recording as a film to show others."""
