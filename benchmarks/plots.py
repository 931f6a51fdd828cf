"""The plots, as SVG files that are the same when the figures are."""

from collections.abc import Callable
from pathlib import Path

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from benchmarks.report import Trials
from benchmarks.servers import BASE, Server

Points = list[tuple[float, float]]


def draw(found: Trials, folder: Path) -> list[str]:
    """Draw what there are figures for; return the names of the files, as seen from the report."""
    members = {name: one.members for name, one in sorted(found.workloads.items()) if one.rooms == 1}
    sizes = {
        name: one.rooms * one.members for name, one in found.workloads.items() if one.rooms > 1
    }

    def over(workloads: dict[str, int], step: str, key: str) -> Callable[[Server], Points]:
        def points(server: Server) -> Points:
            return sorted(
                (x, figure.median)
                for name, x in workloads.items()
                if (figure := found.of(name, server, step, key)) is not None
            )

        return points

    def load(key: str) -> Callable[[Server], Points]:
        def points(server: Server) -> Points:
            return [
                (point["offered_per_s"], point[key])
                for result in found.results("load", server, "load")
                for point in result["points"]
                if key in point
            ]

        return points

    throughput, latency = "deliveries a second", "p99, ms"
    plans = {
        "members": [
            ("members of the room", throughput, over(members, "saturate", "per_s")),
            ("members of the room", latency, over(members, "pace", "p99_ms")),
        ],
        "load": [
            ("deliveries a second that are wanted", throughput, load("per_s")),
            ("deliveries a second that are wanted", latency, load("p99_ms")),
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
    names = []
    for name, panels in plans.items():
        # A line needs two points.
        drawn = [one for one in found.servers if all(len(points(one)) > 1 for *_, points in panels)]
        if not drawn:
            continue
        with mpl.rc_context({"svg.hashsalt": name, "svg.fonttype": "none", "font.size": 9}):
            picture = Figure(figsize=(9, 3.6), layout="constrained")
            for axes, (x, y, points) in zip(picture.subplots(1, 2), panels, strict=True):
                _panel(axes, x, y, {server: points(server) for server in drawn})
            picture.axes[0].legend(fontsize=7)
            folder.mkdir(parents=True, exist_ok=True)
            metadata = {"Date": None, "Creator": None}
            picture.savefig(folder / f"{name}.svg", metadata=metadata)
        names.append(f"{folder.name}/{name}.svg")
    return names


def _panel(axes: Axes, x: str, y: str, lines: dict[Server, Points]) -> None:
    for server, points in lines.items():
        axes.plot(
            [point[0] for point in points],
            [point[1] for point in points],
            marker="o",
            markersize=3,
            label=server.title.replace("*", ""),
            linewidth=2.5 if server.stores else 1,
            color="black" if server.name == BASE else None,
        )
    axes.set(xlabel=x, ylabel=y, xscale="log", yscale="log")
    axes.grid(alpha=0.3)
