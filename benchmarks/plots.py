"""The plots of docs/performance.md, drawn from a results file."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.results import number, read

Rows = list[dict[str, str]]

_OURS, _PEERS = "#0b6e4f", ("#c8553d", "#588b8b", "#b08900", "#6c4f94", "#8d99ae", "#333333")


def draw(results: Path, folder: Path) -> Iterator[Path]:
    """Draw what the results allow into ``folder``; yield the pictures' paths."""
    import matplotlib as mpl

    mpl.use("Agg")
    import matplotlib.pyplot as plt

    rows = read(results)
    folder.mkdir(parents=True, exist_ok=True)
    for name, paint in (("frames", _frames), ("ratios", _ratios), ("capture", _capture)):
        chosen = [row for row in rows if name in ("ratios", row["benchmark"])]
        if not chosen:
            continue
        figure = paint(chosen, plt)
        path = folder / f"{name}.png"
        figure.savefig(path, dpi=110, bbox_inches="tight", metadata={"Software": ""})
        plt.close(figure)
        yield path


def _size_of(case: str) -> tuple[str, int]:
    sensor, count, _ = case.split(" ")
    return sensor, int(count.replace(",", ""))


def _frames(rows: Rows, plt: Any) -> Any:
    """Millions of events a second over the length of the slice, one panel a sensor."""
    curves: dict[str, dict[str, dict[int, float]]] = defaultdict(lambda: defaultdict(dict))
    for row in rows:
        if not row["case"] or row["note"] == "the fastest peer":
            continue
        sensor, count = _size_of(row["case"])
        for who, column in ((f"ours: {row['subject']}", "ours"), (row["peer"], "peers")):
            value = number(row, column)
            if value is not None:
                curves[sensor][who][count] = value
    figure, panels = plt.subplots(
        1, len(curves), figsize=(4.2 * len(curves), 3.6), sharey=True, squeeze=False
    )
    names = sorted({who for panel in curves.values() for who in panel if not who.startswith("ours")})
    for panel, (sensor, lines) in zip(panels[0], curves.items(), strict=True):
        for who, points in lines.items():
            mine = who.startswith("ours")
            style = "-" if who != "ours: count_events" else "--"
            color = _OURS if mine else _PEERS[names.index(who) % len(_PEERS)]
            x = sorted(points)
            panel.plot(x, [points[i] for i in x], style, color=color, label=who, lw=2.2 if mine else 1.3)
        panel.set(xscale="log", yscale="log", title=sensor, xlabel="events in the slice")
        panel.grid(alpha=0.3)
    panels[0][0].set_ylabel("million events / s")
    panels[0][-1].legend(fontsize=7, loc="lower right")
    return figure


def _ratios(rows: Rows, plt: Any) -> Any:
    """How every row with a goal stands to it, with the spread over rounds."""
    goals = [row for row in rows if row["goal"] and row["ratio"]][::-1]
    figure, panel = plt.subplots(figsize=(8, 0.33 * len(goals) + 1))
    for at, row in enumerate(goals):
        goal, ratio = float(row["goal"]), float(row["ratio"])
        low, high = number(row, "low") or ratio, number(row, "high") or ratio
        color = _OURS if row["met"] == "yes" else _PEERS[0]
        panel.barh(at, ratio / goal, color=color, alpha=0.85, height=0.65)
        panel.plot([low / goal, high / goal], [at, at], color="black", lw=1)
        panel.text(max(ratio, high) / goal * 1.05, at, f"{ratio:.2f} of {goal:g}", va="center", fontsize=7)
    panel.axvline(1, color="black", lw=1)
    panel.set_yticks(range(len(goals)), [f"{r['benchmark']}: {r['case']}" for r in goals], fontsize=7)
    panel.set(xscale="log", xlabel="ratio / goal (right of 1: met; thin line: slowest to fastest round)")
    panel.margins(x=0.25)
    return figure


def _capture(rows: Rows, plt: Any) -> Any:
    """Share of events lost over the rate offered."""
    offered = [row for row in rows if row["subject"] == "lost"]
    x = [float(row["case"].split(" ")[0]) for row in offered]
    figure, panel = plt.subplots(figsize=(5.5, 3.2))
    panel.plot(x, [float(row["ours"]) for row in offered], "o-", color=_OURS)
    panel.axvline(20, color="grey", lw=1, ls=":")
    panel.set(xlabel="million events / s offered", ylabel="lost, %", xscale="log", ylim=(-2, 100))
    panel.grid(alpha=0.3)
    return figure
