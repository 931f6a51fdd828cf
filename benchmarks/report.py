"""The result as Markdown."""

from collections.abc import Callable, Sequence

from benchmarks import machine
from benchmarks.figures import Figure, figure, short
from benchmarks.servers import BASE, SERVERS, Server
from benchmarks.workloads import Result, Trial

BUSY = 0.9
"""Above this share of its core's time, a process is what sets the pace."""
LATE = 0.01
"""Above this share of messages sent late, a latency says nothing about the server."""


class Trials:
    """What was measured, to be asked for."""

    def __init__(self, trials: list[Trial]) -> None:
        self.all = trials
        ran = {trial.server.name for trial in trials}
        self.servers = [server for server in SERVERS if server.name in ran]
        self.workloads = {trial.workload.name: trial.workload for trial in trials}

    def results(self, workload: str, server: Server, step: str) -> list[Result]:
        """Return the results of a step, one for each repetition."""
        return [
            trial.results[step]
            for trial in self.all
            if trial.workload.name == workload and trial.server is server
            if step in trial.results
        ]

    def of(self, workload: str, server: Server, step: str, name: str) -> Figure | None:
        """Return a figure over the repetitions; None when there is none."""
        return figure(
            result[name] for result in self.results(workload, server, step) if name in result
        )

    def ratio(self, workload: str, server: Server) -> Figure | None:
        """Return the throughput in terms of that of bare Tornado in the same repetition."""
        base = {
            trial.repetition: trial.results["saturate"]["per_s"]
            for trial in self.all
            if trial.workload.name == workload and trial.server.name == BASE
            if "saturate" in trial.results
        }
        return figure(
            trial.results["saturate"]["per_s"] / base[trial.repetition]
            for trial in self.all
            if trial.workload.name == workload and trial.server is server
            if "saturate" in trial.results and base.get(trial.repetition)
        )

    def cpu_ratio(self, workload: str, server: Server) -> Figure | None:
        """The same by CPU time: deliveries that a second of the server's CPU time is good for."""
        base = {
            trial.repetition: trial.results["saturate"]["cpu_us"]
            for trial in self.all
            if trial.workload.name == workload and trial.server.name == BASE
            if "saturate" in trial.results
        }
        return figure(
            base[trial.repetition] / trial.results["saturate"]["cpu_us"]
            for trial in self.all
            if trial.workload.name == workload and trial.server is server
            if trial.results.get("saturate", {}).get("cpu_us") and base.get(trial.repetition)
        )

    def limit(self, workload: str, server: Server) -> str:
        """Say what kept the throughput from being all that the server can give."""
        busy = self.of(workload, server, "saturate", "server_busy")
        client = self.of(workload, server, "saturate", "client_busy")
        if busy is None or client is None or busy.median >= BUSY:
            return ""
        return "client-limited" if client.median >= BUSY else "server not busy"


def text(
    trials: list[Trial], absent: dict[Server, str], seed: int, repeat: int, plots: list[str]
) -> str:
    """Return the whole report."""
    found = Trials(trials)
    parts = [
        "# Results",
        "Made by `python3 learn.py bench`; [README.md](README.md) says what is measured and how.",
        machine.describe(found.servers),
        f"Seed {seed}; {repeat} repetitions: medians, with the smallest and the largest in "
        "brackets. What takes long was measured once, and has no brackets.",
    ]
    saturated = [name for name in ("w1", "w2", "w3") if name in found.workloads]
    if saturated:
        parts.append(summary(found, saturated))
        parts += [workload(found, name) for name in saturated]
    parts += connections(found)
    parts += history(found)
    parts += growth(found)
    parts += [f"![]({name})" for name in plots]
    parts.append(correctness(found))
    parts += [f"Not run: {server.title}: {reason}." for server, reason in absent.items()]
    parts += [
        f"Failed: {trial.workload.name} with {trial.server.title}: {trial.problem}"
        for trial in trials
        if trial.problem
    ]
    return "\n\n".join(parts) + "\n"


def table(head: list[str], rows: list[list[str]]) -> str:
    """Return a table in Markdown."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def cell(value: Figure | None, form: Callable[[float], str] = short) -> str:
    """Return what stands in a table for a figure, or for none."""
    return "-" if value is None else value.text(form)


def summary(found: Trials, workloads: Sequence[str]) -> str:
    """Return the table of ratios."""
    rows = []
    for server in found.servers:
        row = [server.title]
        for name in workloads:
            ratio, cpu = found.ratio(name, server), found.of(name, server, "saturate", "cpu_us")
            mark = " *" if found.limit(name, server) else ""
            row.append("-" if ratio is None or cpu is None else f"{ratio}{mark}, {cpu} us")
        rows.append(row)
    head = ["", *(f"{name.upper()}: {found.workloads[name].title}" for name in workloads)]
    return (
        "## Throughput, in terms of bare Tornado\n\n"
        "Deliveries a second at saturation, as a ratio to bare Tornado in the same repetition; "
        "then the server's CPU time for one delivery.\n\n" + table(head, rows) + "\n\n"
        "\\* not all that the server can give: see below what held it up. Its CPU time a delivery "
        "holds."
    )


def workload(found: Trials, name: str) -> str:
    """Return the section on one workload: saturated and, if it was, paced."""
    is_paced = any(found.results(name, server, "pace") for server in found.servers)
    head = ["", "deliveries/s", "ratio by CPU time", "busy: server, client"]
    head += ["paced: p50 ms", "p99 ms"] if is_paced else []
    rows = []
    for server in found.servers:
        row = [
            server.title,
            cell(found.of(name, server, "saturate", "per_s")),
            cell(found.cpu_ratio(name, server)),
            ", ".join(
                share(found.of(name, server, "saturate", f"{who}_busy"))
                for who in ("server", "client")
            ),
        ]
        if reason := found.limit(name, server):
            row[-1] += f": {reason}"
        if is_paced:
            late = found.of(name, server, "pace", "late")
            row += [cell(found.of(name, server, "pace", key)) for key in ("p50_ms", "p99_ms")]
            row[-1] += " (client late)" if late is not None and late.median > LATE else ""
        rows.append(row)
    return f"## {name.upper()}: {found.workloads[name].title}\n\n{table(head, rows)}"


def share(value: Figure | None) -> str:
    """Write a share of a core's time."""
    return "-" if value is None else f"{value.median:.0%}"


def connections(found: Trials) -> list[str]:
    """Return the section on connections: to open them, to hold them, to have them all back."""
    if not {"w2", "idle"} & found.workloads.keys():
        return []
    rows = []
    for server in found.servers:
        before = found.of("idle", server, "open", "kib_before")
        after = found.of("idle", server, "hold", "kib")
        count = found.of("idle", server, "hold", "open")
        each = figure(
            (after.median - before.median) / count.median
            for _ in "1"
            if before and after and count and count.median
        )
        rows.append(
            [
                server.title,
                cell(each),
                cell(found.of("w2", server, "open", "handshakes_per_s")),
                cell(found.of("w2", server, "open", "cpu_us_per_handshake")),
                cell(found.of("w2", server, "storm", "seconds")),
            ]
        )
    head = ["", "KiB a connection", "handshakes/s", "CPU us a handshake", "storm s"]
    return [
        "## Connections\n\nMemory: of 10,000 idle ones. Handshakes: of 1000, 64 at a time. Storm: "
        "1000 connections break at once and come back at once; seconds until all are back.\n\n"
        + table(head, rows)
    ]


def history(found: Trials) -> list[str]:
    """Return the section on pages of history."""
    rows = [
        [
            f"{found.workloads[name].steps[0]['messages']:,}",
            *(
                cell(found.of(name, server, "history", f"{which}_{key}"))
                for which in ("newest", "older")
                for key in ("p50_ms", "p99_ms")
            ),
        ]
        for name in found.workloads
        for server in found.servers
        if found.results(name, server, "history")
    ]
    head = ["messages", "newest page: p50 ms", "p99 ms", "a page from anywhere: p50 ms", "p99 ms"]
    return ["## The chat's history, a page at a time\n\n" + table(head, rows)] if rows else []


def growth(found: Trials) -> list[str]:
    """Return the section on what more members and more connections cost."""
    columns = [
        name
        for name in ("members-10", "w1", "w2", "members-5000", "deep", "w3", "idle")
        if name in found.workloads
    ]
    if not {"members-10", "idle"} & set(columns):
        return []
    rows = [
        [server.title, *(cell(found.of(name, server, "saturate", "cpu_us")) for name in columns)]
        for server in found.servers
    ]
    head = [""]
    for name in columns:
        one = found.workloads[name]
        head.append(f"{one.rooms:,} x {one.members:,}" if one.rooms > 1 else f"{one.members:,}")
        if name == "deep":
            head[-1] += ", 64 under way"
    return [
        "## Growth\n\nThe server's CPU time for one delivery, in microseconds, in one room of so "
        "many members, and in so many rooms of ten. With few messages under way each delivery is a "
        "write of its own.\n\n" + table(head, rows)
    ]


def correctness(found: Trials) -> str:
    """Return what the clients counted."""
    results = [
        point
        for trial in found.all
        for result in trial.results.values()
        for point in (result, *result.get("points", ()))
    ]
    checked, lost, doubled = (
        sum(int(result.get(name, 0)) for result in results)
        for name in ("deliveries", "lost", "doubled")
    )
    return f"Of {checked:,} measured deliveries {lost:,} were lost and {doubled:,} doubled."
