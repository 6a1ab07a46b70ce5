"""Prophesee's cameras through OpenEB or the Metavision SDK."""
