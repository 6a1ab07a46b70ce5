"""What the command line does: running, teaching, evaluating, and looking at the machine."""


def program() -> None:
    """Run the command line and leave the process."""
    from neuroclip_live.start import program as run

    run()
