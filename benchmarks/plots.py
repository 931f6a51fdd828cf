"""The plots of the report as SVG files. The same figures always give the same bytes."""

from collections.abc import Callable
from pathlib import Path

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from benchmarks.report import Results, growth_window
from benchmarks.servers import BASELINE, Server
from benchmarks.summary import Summary

Points = list[tuple[float, float]]
Panel = tuple[str, str, Callable[[Server], Points]]
"""The labels of a panel's x and y axes, and a function from a server to the points of its line."""


def draw(results: Results, folder: Path) -> list[str]:
    """Draw the plots for which there are figures; return their paths relative to the report."""
    names = []
    for name, panels in _panels(results).items():
        # A line needs two points.
        plotted = [
            one for one in results.servers if all(len(points(one)) > 1 for *_, points in panels)
        ]
        if not plotted:
            continue
        with mpl.rc_context({"svg.hashsalt": name, "svg.fonttype": "none", "font.size": 9}):
            picture = Figure(figsize=(9, 4), layout="constrained")
            for axes, (x, y, points) in zip(picture.subplots(1, 2), panels, strict=True):
                _panel(axes, x, y, {server: points(server) for server in plotted})
            lines = picture.axes[0].get_lines()  # a legend inside the axes would cover lines
            picture.legend(handles=lines, loc="outside lower center", ncols=5, fontsize=8)
            folder.mkdir(parents=True, exist_ok=True)
            metadata = {"Date": None, "Creator": None}
            picture.savefig(folder / f"{name}.svg", metadata=metadata)
        names.append(f"{folder.name}/{name}.svg")
    return names


def _panels(results: Results) -> dict[str, list[Panel]]:
    """Return the panels of each plot; a panel may have no points."""
    members: dict[str, int] = {
        name: results.workloads[name].members
        for name in ("members-10", "w1", "w2", "members-5000")
        if name in results.workloads
    }
    sizes = {
        name: one.rooms * one.members for name, one in results.workloads.items() if one.rooms > 1
    }

    def over(workloads: dict[str, int], step: str, key: str) -> Callable[[Server], Points]:
        def points(server: Server) -> Points:
            return sorted(
                (x, summary.median)
                for name, x in workloads.items()
                if (summary := of_workload(name, server, step, key)) is not None
            )

        return points

    def of_workload(name: str, server: Server, step: str, key: str) -> Summary | None:
        if step == "saturate":
            return results.saturated(name, server, growth_window(results, name), key)
        return results.get(name, server, step, key)

    def ramp(key: str) -> Callable[[Server], Points]:
        def points(server: Server) -> Points:
            return [
                (point["offered_per_s"], point[key])
                for result in results.of_step("load", server, "ramp")
                for point in result["points"]
                if key in point
            ]

        return points

    throughput, latency = "deliveries a second", "p99, ms"
    return {
        "members": [
            ("members of the room", throughput, over(members, "saturate", "per_s")),
            ("members of the room", latency, over(members, "constant_rate", "p99_ms")),
        ],
        "load": [
            ("deliveries a second that are wanted", throughput, ramp("per_s")),
            ("deliveries a second that are wanted", latency, ramp("p99_ms")),
        ],
        "connections": [
            ("connections, in rooms of ten", throughput, over(sizes, "saturate", "per_s")),
            (
                "connections, in rooms of ten",
                "server's CPU time a delivery, us",
                over(sizes, "saturate", "cpu_us"),
            ),
        ],
    }


def _panel(axes: Axes, x: str, y: str, lines: dict[Server, Points]) -> None:
    for server, points in lines.items():
        axes.plot(
            [point[0] for point in points],
            [point[1] for point in points],
            marker="o",
            markersize=3,
            label=server.title.replace("*", ""),
            linewidth=2.5 if server.stores else 1,
            color="black" if server.name == BASELINE else None,
        )
    axes.set(xlabel=x, ylabel=y, xscale="log", yscale="log")
    axes.grid(alpha=0.3)
