"""What ``doctor``, ``models`` and ``--list-cameras`` print."""

from __future__ import annotations

from rich.table import Table
from rich.text import Text

from neuroclip_drivers.film.webcams import list_webcams
from neuroclip_live.console import console
from neuroclip_live.model.purposes import purpose_of

MARKS = {"ok": ("✓", "green"), "warn": ("!", "yellow"), "fail": ("✗", "red")}


def print_doctor() -> int:
    """Print every finding and what mends it; return 0, or 1 where something does not work."""
    from neuroclip_live.cli.doctor import examine, worst

    findings = examine()
    table = Table(box=None, show_header=False, pad_edge=False)
    for finding in findings:
        mark, style = MARKS[finding.status]
        text = Text(finding.text)
        if finding.fix:
            text.append(f"\n→ {finding.fix}", style="cyan")
        table.add_row(Text(mark, style=style), Text(finding.name, style="bold"), text)
    console().print(table)
    return 1 if worst(findings) == "fail" else 0


def print_models() -> None:
    """Print the models at hand and those worth downloading."""
    from neuroclip_live.model.catalog import available_models

    table = Table(box=None, pad_edge=False, header_style="bold")
    models = available_models()
    longest = max((len(model.name) for model in models), default=0)
    table.add_column("--model", no_wrap=True, min_width=longest)  # in one line: it is to be copied
    for column in ("where", "MB", "input", "needs", "what it is"):
        table.add_column(column, overflow="fold")
    for model in models:
        table.add_row(
            Text(model.name),  # as text: a name's brackets are no markup
            model.availability,
            f"{model.size_mb:,.0f}" if model.size_mb is not None else "",
            f"{model.image_size} px" if model.image_size is not None else "",
            Text(model.needs),
            Text(model.description),
        )
    out = console()
    out.print(table)
    out.print()
    for name, title in (("event-nano", "event-nano"), ("", "the others")):
        purpose = purpose_of(name)
        out.print(f"[bold]{title}[/]: good for {purpose.good_for}; weak at {purpose.weak_at}.")


def print_cameras() -> int:
    """Print connected cameras, if any, and webcams; return 0."""
    from neuroclip_drivers.cameras import list_cameras

    cameras = list_cameras()
    out = console()
    if not cameras:
        out.print("No event camera found. `neuroclip-live doctor` looks at USB and permissions.")
    for camera in cameras:
        trouble = f": {camera.trouble}" if camera.trouble else ""
        out.print(f"{camera}{trouble}", highlight=False, markup=False)
    for webcam in list_webcams():
        out.print(f"webcam {webcam} (--webcam {webcam.number})", highlight=False, markup=False)
    return 0
