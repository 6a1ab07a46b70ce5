"""What the command line does: running, teaching, evaluating, and looking at the machine."""
