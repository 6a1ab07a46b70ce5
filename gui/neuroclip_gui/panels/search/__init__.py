"""Words asked of an archive of recordings, and the moments they find."""
