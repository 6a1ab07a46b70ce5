"""Words to look for: labels, templates, and their features."""
