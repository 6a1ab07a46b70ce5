"""Recordings by the thousand: features of each are kept once, and any word is asked of them later."""
