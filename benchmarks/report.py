"""The benchmark report in Markdown."""

from collections.abc import Callable, Collection

from benchmarks import environment
from benchmarks.servers import BASELINE, SERVERS, Server
from benchmarks.summary import Summary, format_number, summarize
from benchmarks.workloads import MAX_REPEATED, Result, Trial

BUSY_ABOVE = 0.9
"""Share of a core above which a process limits the throughput."""
MAX_LATE = 0.01
"""Share of messages sent late above which the measured latency is that of the client."""


class Results:
    """The results of all trials, by workload, server and step."""

    def __init__(self, trials: list[Trial], unavailable: Collection[Server] = ()) -> None:
        self.trials = trials
        self.unavailable = unavailable
        ran = {trial.server.name for trial in trials}
        self.servers = [one for one in SERVERS if one.name in ran or one in unavailable]
        self.workloads = {trial.workload.name: trial.workload for trial in trials}

    def title(self, server: Server) -> str:
        """Return the text in front of a server's row."""
        return f"{server.title} (not run)" if server in self.unavailable else server.title

    def of_step(self, workload: str, server: Server, step: str) -> list[Result]:
        """Return the results of a step, one for each repetition."""
        return [
            trial.results[step]
            for trial in self.trials
            if trial.workload.name == workload and trial.server is server
            if step in trial.results
        ]

    def get(self, workload: str, server: Server, step: str, name: str) -> Summary | None:
        """Return the summary of a figure over the repetitions; None if no step has it."""
        return summarize(
            result[name] for result in self.of_step(workload, server, step) if name in result
        )

    def windows(self, workload: str) -> list[int]:
        """Return the numbers of messages in flight with which a workload was saturated."""
        found = {
            int(point["window"])
            for trial in self.trials
            if trial.workload.name == workload
            for point in trial.results.get("saturate", {}).get("points", ())
        }
        return sorted(found)

    def saturated(self, workload: str, server: Server, window: int, name: str) -> Summary | None:
        """Return the summary of a figure at saturation, with `window` messages in flight."""
        return summarize(
            point[name]
            for result in self.of_step(workload, server, "saturate")
            for point in result["points"]
            if point["window"] == window and name in point
        )

    def ratio(self, workload: str, server: Server, window: int) -> Summary | None:
        """Return the throughput divided by that of the baseline in the same repetition."""
        found = [
            (trial.repetition, trial.server, float(point["per_s"]))
            for trial in self.trials
            if trial.workload.name == workload
            for point in trial.results.get("saturate", {}).get("points", ())
            if point["window"] == window
        ]
        baseline = {repetition: value for repetition, of, value in found if of.name == BASELINE}
        return summarize(
            value / baseline[repetition]
            for repetition, of, value in found
            if of is server and baseline.get(repetition)
        )

    def bottleneck(self, workload: str, server: Server, window: int) -> str:
        """Return the process that limited the throughput, or "" if it was the server's CPU."""
        busy = self.saturated(workload, server, window, "server_busy")
        client = self.saturated(workload, server, window, "client_busy")
        if busy is None or client is None or busy.median >= BUSY_ABOVE:
            return ""
        return "client" if client.median >= BUSY_ABOVE else "server not busy"


def render(trials: list[Trial], unavailable: dict[Server, str], run: str, plots: list[str]) -> str:
    """Return the complete report.

    Args:
        trials: the trials, with their results.
        unavailable: the servers that cannot run on this machine, with the reasons.
        run: a sentence on the seed, the repetitions and the duration of the run.
        plots: the paths of the plots, relative to the report.
    """
    results = Results(trials, unavailable)
    parts = [
        "# Results",
        "Made by `python3 learn.py bench`; [README.md](README.md) says what is measured and how.",
        environment.describe(results.servers),
        f"{run} The figures are medians, with the smallest and the largest in brackets. What takes "
        f"long, such as more than {MAX_REPEATED} messages in flight, was measured once, and has no "
        "brackets.",
    ]
    parts.append(differences(results))
    for name in ("alone", "w1", "w2", "w3"):
        if name in results.workloads:
            parts.append(f"## {name.capitalize()}: {results.workloads[name].title}")
            parts += throughput_table(results, name) + latency_table(results, name)
    parts += connections_section(results)
    parts += silence_section(results)
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
    """Return the text of a table's cell; a dash if there is no figure."""
    return "-" if value is None else value.text(form)


def differences(results: Results) -> str:
    """Return the list of what the chat does and each peer does not."""
    rows = [[results.title(one), one.lacks] for one in results.servers if one.lacks]
    return (
        "## What the peers do not do\n\nThe chat checks the membership for each message, "
        "numbers the messages of a conversation without a gap, and has them on the disk before "
        "anybody receives them.\n\n" + markdown_table(["", "without"], rows)
    )


def throughput_table(results: Results, name: str) -> list[str]:
    """Return the table of the throughput at saturation, if it was measured."""
    windows = results.windows(name)
    if not windows:
        return []
    rows = []
    for server in results.servers:
        cells = []
        for window in windows:
            ratio = results.ratio(name, server, window)
            cpu = results.saturated(name, server, window, "cpu_us")
            star = " *" if results.bottleneck(name, server, window) else ""
            cells.append("-" if cpu is None else f"{format_cell(ratio)}{star}, {cpu} us")
        rows.append([results.title(server), *cells])
    head = ["in flight", *map(str, windows)]
    return [
        "Deliveries a second at saturation, with so many messages of a room in flight, as a ratio "
        "to bare Tornado in the same repetition; then the server's CPU time for one delivery. "
        "\\*: something other than the server's CPU was the limit, its disk or the client; the CPU "
        "time for one delivery is valid all the same. A dash: the messages in flight would have "
        f"needed more than half a minute.\n\n{markdown_table(head, rows)}"
    ]


def latency_table(results: Results, name: str) -> list[str]:
    """Return the table of latencies and CPU times at a constant rate, if they were measured."""
    workload = results.workloads[name]
    rates = [step["rate"] for step in workload.steps if step["step"] == "constant_rate"]
    if not rates:
        return []
    rows = []
    for server in results.servers:
        late = results.get(name, server, "constant_rate", "late")
        cells = [
            format_cell(results.get(name, server, "constant_rate", key))
            for key in ("p50_ms", "p99_ms")
        ]
        cells[-1] += " (client late)" if late is not None and late.median > MAX_LATE else ""
        cpu = summarize(
            result["cpu_us"] * workload.members
            for result in results.of_step(name, server, "constant_rate")
        )
        rows.append([results.title(server), *cells, format_cell(cpu)])
    head = [f"{rates[0]:g} messages a second", "p50 ms", "p99 ms", "CPU us a message"]
    return [markdown_table(head, rows)]


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
                results.title(server),
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


def silence_section(results: Results) -> list[str]:
    """Return the section on silent connections."""
    rows = [
        [server.title, format_cell(results.get("silence", server, "silence", "core_percent"))]
        for server in results.servers
        if results.of_step("silence", server, "silence")
    ]
    if not rows:
        return []
    return [
        "## Silent connections\n\nOf 5,000 connections, over a minute. The server pings each every "
        "25 seconds, and so does each client.\n\n" + markdown_table(["", "% of a core"], rows)
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
        for name in ("members-10", "w1", "w2", "members-5000", "w3", "idle")
        if name in results.workloads
    ]
    if not {"members-10", "idle"} & set(columns):
        return []
    windows = [growth_window(results, name) for name in columns]
    rows = [
        [
            results.title(server),
            *(
                format_cell(results.saturated(name, server, window, "cpu_us"))
                for name, window in zip(columns, windows, strict=True)
            ),
        ]
        for server in results.servers
    ]
    head = [""]
    for name, window in zip(columns, windows, strict=True):
        one = results.workloads[name]
        size = f"{one.rooms:,} x {one.members:,}" if one.rooms > 1 else f"{one.members:,}"
        head.append(f"{size}, {window} in flight")
    return [
        "## Growth\n\nThe server's CPU time for one delivery, in microseconds, in one room of so "
        "many members, and in so many rooms of ten. With few messages in flight each delivery is a "
        "write of its own.\n\n" + markdown_table(head, rows)
    ]


def growth_window(results: Results, workload: str) -> int:
    """Return the number of messages in flight that "Growth" shows: 16 in one room, 4 in many."""
    windows = results.windows(workload)
    shown = 16 if results.workloads[workload].rooms == 1 else 4
    return shown if shown in windows else max(windows, default=0)


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
