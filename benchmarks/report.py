"""The report in Markdown."""

from collections.abc import Callable, Sequence

from benchmarks import environment
from benchmarks.servers import BASELINE, SERVERS, Server
from benchmarks.summary import Summary, format_number, summarize
from benchmarks.workloads import Result, Trial

BUSY_ABOVE = 0.9
"""Share of a core above which a process limits the throughput."""
MAX_LATE = 0.01
"""Share of messages sent late above which a latency says nothing about the server."""


class Results:
    """The results of all trials, by workload, server and step."""

    def __init__(self, trials: list[Trial]) -> None:
        self.trials = trials
        ran = {trial.server.name for trial in trials}
        self.servers = [server for server in SERVERS if server.name in ran]
        self.workloads = {trial.workload.name: trial.workload for trial in trials}

    def of_step(self, workload: str, server: Server, step: str) -> list[Result]:
        """Return the results of a step, one for each repetition."""
        return [
            trial.results[step]
            for trial in self.trials
            if trial.workload.name == workload and trial.server is server
            if step in trial.results
        ]

    def get(self, workload: str, server: Server, step: str, name: str) -> Summary | None:
        """Return a figure over the repetitions, None when there is none."""
        return summarize(
            result[name] for result in self.of_step(workload, server, step) if name in result
        )

    def ratio(self, workload: str, server: Server) -> Summary | None:
        """Return the throughput in terms of the baseline's in the same repetition."""
        return self._ratio(workload, server, lambda saturated: float(saturated["per_s"]))

    def cpu_ratio(self, workload: str, server: Server) -> Summary | None:
        """Return the deliveries in a second of CPU time in terms of the baseline's."""

        def deliveries(saturated: Result) -> float:
            cpu_us = float(saturated["cpu_us"])
            return 1e6 / cpu_us if cpu_us else 0.0  # without a delivery there is no time for one

        return self._ratio(workload, server, deliveries)

    def _ratio(
        self, workload: str, server: Server, figure: Callable[[Result], float]
    ) -> Summary | None:
        """Return the ratios of a figure at saturation to the baseline's, unless that is zero."""
        found = [
            (trial.repetition, trial.server, figure(trial.results["saturate"]))
            for trial in self.trials
            if trial.workload.name == workload and "saturate" in trial.results
        ]
        baseline = {repetition: value for repetition, of, value in found if of.name == BASELINE}
        return summarize(
            value / baseline[repetition]
            for repetition, of, value in found
            if of is server and baseline.get(repetition)
        )

    def bottleneck(self, workload: str, server: Server) -> str:
        """Return what limited the throughput, an empty text if it was the server's CPU."""
        busy = self.get(workload, server, "saturate", "server_busy")
        client = self.get(workload, server, "saturate", "client_busy")
        if busy is None or client is None or busy.median >= BUSY_ABOVE:
            return ""
        return "client-limited" if client.median >= BUSY_ABOVE else "server not busy"


def render(
    trials: list[Trial], unavailable: dict[Server, str], seed: int, repeat: int, plots: list[str]
) -> str:
    """Return the whole report."""
    results = Results(trials)
    parts = [
        "# Results",
        "Made by `python3 learn.py bench`; [README.md](README.md) says what is measured and how.",
        environment.describe(results.servers),
        f"Seed {seed}; {repeat} repetitions: medians, with the smallest and the largest in "
        "brackets. What takes long was measured once, and has no brackets.",
    ]
    saturated = [name for name in ("w1", "w2", "w3") if name in results.workloads]
    if saturated:
        parts.append(throughput_section(results, saturated))
        parts += [workload_section(results, name) for name in saturated]
    parts += connections_section(results)
    parts += history_section(results)
    parts += growth_section(results)
    parts += [f"![]({name})" for name in plots]
    parts.append(correctness(results))
    parts += [f"Not run: {server.title}: {reason}." for server, reason in unavailable.items()]
    parts += [
        f"Failed: {trial.workload.name} with {trial.server.title}: {trial.error}"
        for trial in trials
        if trial.error
    ]
    return "\n\n".join(parts) + "\n"


def markdown_table(head: list[str], rows: list[list[str]]) -> str:
    """Return a table in Markdown."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def format_cell(value: Summary | None, form: Callable[[float], str] = format_number) -> str:
    """Return the text of a cell; a dash where there is no figure."""
    return "-" if value is None else value.text(form)


def percent(value: Summary | None) -> str:
    """Return a share of a core as a percentage."""
    return "-" if value is None else f"{value.median:.0%}"


def throughput_section(results: Results, workloads: Sequence[str]) -> str:
    """Return the section with the ratios of throughput."""
    rows = []
    for server in results.servers:
        row = [server.title]
        for name in workloads:
            ratio = results.ratio(name, server)
            cpu = results.get(name, server, "saturate", "cpu_us")
            star = " *" if results.bottleneck(name, server) else ""
            row.append("-" if ratio is None or cpu is None else f"{ratio}{star}, {cpu} us")
        rows.append(row)
    head = ["", *(f"{name.upper()}: {results.workloads[name].title}" for name in workloads)]
    return (
        "## Throughput, in terms of bare Tornado\n\n"
        "Deliveries a second at saturation, as a ratio to bare Tornado in the same repetition; "
        "then the server's CPU time for one delivery.\n\n" + markdown_table(head, rows) + "\n\n"
        "\\* not all that the server can give: see below what held it up. Its CPU time a delivery "
        "holds."
    )


def workload_section(results: Results, name: str) -> str:
    """Return the section on one workload: at saturation and, if measured, at a constant rate."""
    with_rate = any(results.of_step(name, server, "constant_rate") for server in results.servers)
    head = ["", "deliveries/s", "ratio by CPU time", "busy: server, client"]
    head += ["constant rate: p50 ms", "p99 ms"] if with_rate else []
    rows = []
    for server in results.servers:
        row = [
            server.title,
            format_cell(results.get(name, server, "saturate", "per_s")),
            format_cell(results.cpu_ratio(name, server)),
            ", ".join(
                percent(results.get(name, server, "saturate", f"{process}_busy"))
                for process in ("server", "client")
            ),
        ]
        if reason := results.bottleneck(name, server):
            row[-1] += f": {reason}"
        if with_rate:
            late = results.get(name, server, "constant_rate", "late")
            row += [
                format_cell(results.get(name, server, "constant_rate", key))
                for key in ("p50_ms", "p99_ms")
            ]
            row[-1] += " (client late)" if late is not None and late.median > MAX_LATE else ""
        rows.append(row)
    return f"## {name.upper()}: {results.workloads[name].title}\n\n{markdown_table(head, rows)}"


def connections_section(results: Results) -> list[str]:
    """Return the section on connections: memory, handshakes, reconnect storm."""
    if not {"w2", "idle"} & results.workloads.keys():
        return []
    rows = []
    for server in results.servers:
        before = results.get("idle", server, "open", "kib_before")
        after = results.get("idle", server, "idle", "kib")
        count = results.get("idle", server, "idle", "open")
        each = summarize(
            (after.median - before.median) / count.median
            for _ in "1"
            if before and after and count and count.median
        )
        rows.append(
            [
                server.title,
                format_cell(each),
                format_cell(results.get("w2", server, "open", "handshakes_per_s")),
                format_cell(results.get("w2", server, "open", "cpu_us_per_handshake")),
                format_cell(results.get("w2", server, "reconnect_storm", "seconds")),
            ]
        )
    head = ["", "KiB a connection", "handshakes/s", "CPU us a handshake", "reconnect storm s"]
    return [
        "## Connections\n\nMemory: of 10,000 idle ones. Handshakes: of 1000, 64 at a time. "
        "Reconnect storm: 1000 connections break at once and are opened again at once; seconds "
        "until all are open.\n\n" + markdown_table(head, rows)
    ]


def history_section(results: Results) -> list[str]:
    """Return the section on pages of history."""
    rows = [
        [
            f"{results.workloads[name].steps[0]['messages']:,}",
            *(
                format_cell(results.get(name, server, "history", f"{which}_{key}"))
                for which in ("newest", "older")
                for key in ("p50_ms", "p99_ms")
            ),
        ]
        for name in results.workloads
        for server in results.servers
        if results.of_step(name, server, "history")
    ]
    head = ["messages", "newest page: p50 ms", "p99 ms", "a page from anywhere: p50 ms", "p99 ms"]
    if not rows:
        return []
    return ["## The chat's history, a page at a time\n\n" + markdown_table(head, rows)]


def growth_section(results: Results) -> list[str]:
    """Return the section on the cost of a delivery with more members and more connections."""
    columns = [
        name
        for name in ("members-10", "w1", "w2", "members-5000", "deep", "w3", "idle")
        if name in results.workloads
    ]
    if not {"members-10", "idle"} & set(columns):
        return []
    rows = [
        [
            server.title,
            *(format_cell(results.get(name, server, "saturate", "cpu_us")) for name in columns),
        ]
        for server in results.servers
    ]
    head = [""]
    for name in columns:
        one = results.workloads[name]
        head.append(f"{one.rooms:,} x {one.members:,}" if one.rooms > 1 else f"{one.members:,}")
        if name == "deep":
            head[-1] += ", 64 in flight"
    return [
        "## Growth\n\nThe server's CPU time for one delivery, in microseconds, in one room of so "
        "many members, and in so many rooms of ten. With few messages in flight each delivery is a "
        "write of its own.\n\n" + markdown_table(head, rows)
    ]


def correctness(results: Results) -> str:
    """Return the numbers of measured, lost and duplicated deliveries."""
    steps = [
        point
        for trial in results.trials
        for result in trial.results.values()
        for point in (result, *result.get("points", ()))
    ]
    measured, lost, duplicated = (
        sum(int(step.get(name, 0)) for step in steps)
        for name in ("deliveries", "lost", "duplicated")
    )
    return f"Of {measured:,} measured deliveries {lost:,} were lost and {duplicated:,} duplicated."
