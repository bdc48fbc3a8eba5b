"""Write the measured part of docs/performance.md from the figures."""

from collections.abc import Callable, Iterable
from textwrap import fill

from bench import cost, growth, prices, scale
from bench.figures import ROOT, Results
from bench.lambdas import FUNCTIONS
from bench.life import PLATFORM_BYTES
from bench.routing import between
from bench.targets import markdown, table
from bench.template import lambda_logs

PAGE, MARKER = ROOT / "docs" / "performance.md", "figures"
SCALE_PAGE, SCALE_MARKER = ROOT / "docs" / "scale.md", "simulated"
Row = tuple[str, ...]


def write(results: Results) -> None:
    """Put the figures into both pages."""
    PAGE.write_text(between(PAGE.read_text(), MARKER, rendered(results)))
    simulated = scale.table(results)
    SCALE_PAGE.write_text(between(SCALE_PAGE.read_text(), SCALE_MARKER, simulated))


def rendered(results: Results) -> str:
    """Return everything on the page that comes from figures."""
    sections: list[Callable[[Results], str]] = [
        _machine,
        _targets,
        _waits,
        _throughput,
        _functions,
        _requests,
        _life,
        _cost,
        _growth,
        _emulator,
        _profile,
    ]
    text = "\n\n".join(section(results) for section in sections)
    paragraphs = text.split("\n\n")
    return "\n\n".join(p if p.startswith(("|", "#", " ")) else _wrapped(p) for p in paragraphs)


def _machine(results: Results) -> str:
    told = ", ".join(f"{name} {value}" for name, value in results.machine.items())
    took = sum(figures.get("took_s", 0.0) for figures in results.parts.values())
    failed = [name for name, figures in results.parts.items() if "error" in figures]
    text = f"Commit {results.commit}, {results.date}, in {took:.0f} s. Machine: {told}."
    others = results.value("throughput", "ten_others_cores")
    if others is not None:
        text += f" The measuring client and all others kept {others:g} processors busy meanwhile."
    return text + (f" Not measured, for an error: {', '.join(failed)}." if failed else "")


def _targets(results: Results) -> str:
    return f"## Against the targets\n\n{table(results)}"


def _waits(results: Results) -> str:
    rows = [("milliseconds", "p50", "p99", "n")]
    for what, part, prefix in (
        ("POST to 202, one order at a time", "overhead", "submit_"),
        ("POST to 202, one client, workers busy with what it placed before", "submit", "one_"),
        ("POST to 202, 20 clients at once", "submit", "many_"),
        ("POST to `confirmed` at the watcher, less the simulated 900 ms", "overhead", ""),
        ("table write to the watcher", "push", ""),
        ("table write to each of 100 watchers of one order", "push", "many_"),
    ):
        cells = [_shown(results, part, f"{prefix}{name}") for name in ("p50_ms", "p99_ms", "n")]
        rows.append((what, cells[0], cells[1], cells[2]))
    return f"## What a trader waits for\n\n{markdown(rows, (1, 2, 3))}"


def _throughput(results: Results) -> str:
    rows: list[Row] = [
        ("", "orders a second", "of its own ideal", "of ten one-order workers", "simulated")
    ]
    for name, what in (("ten", "ten orders a worker"), ("one", "one order a worker")):
        rows.append(
            (
                what,
                _shown(results, "throughput", f"{name}_per_s"),
                _shown(results, "throughput", f"{name}_share_of_its_ideal"),
                _shown(results, "throughput", f"{name}_share_of_ten_workers"),
                _shown(results, "scale", f"{name}_simulated_per_s"),
            )
        )
    rows.append(("nothing to wait for", _shown(results, "zero", "per_s"), "", "", ""))
    rows.append(("the engine without the cloud", _shown(results, "engine", "per_s"), "", "", ""))
    rows.append(
        ("the same, a watcher an order", _shown(results, "engine", "watched_per_s"), "", "", "")
    )
    ideal = _shown(results, "throughput", "ideal_of_ten_workers_per_s")
    mean = _shown(results, "throughput", "mean_simulated_ms")
    return (
        f"## Throughput\n\nA burst of 500 orders, from the first POST to the last `confirmed`. An "
        f"order is simulated to take {mean} ms in the mean, so ten workers with one order each "
        f"settle {ideal} a second at best, and with ten each ten times that. *Simulated* is what "
        f"`bench/simulation.py` makes of it.\n\n{markdown(rows, (1, 2, 3, 4))}\n\n{_cpu(results)}"
    )


def _cpu(results: Results) -> str:
    rows: list[Row] = [("CPU ms an order", *FUNCTIONS, "functions", "emulator", "front door")]
    for what, part, prefix in (
        ("one at a time, watched", "overhead", ""),
        ("burst, ten a worker", "throughput", "ten_"),
        ("burst, one a worker", "throughput", "one_"),
        ("burst, nothing to wait for", "zero", ""),
    ):
        names = (*FUNCTIONS, "functions", "emulator", "front_door")
        rows.append((what, *(_shown(results, part, f"{prefix}{n}_cpu_ms") for n in names)))
    return markdown(rows, tuple(range(1, 9)))


def _functions(results: Results) -> str:
    rows: list[Row] = [("function", "start-up, ms of CPU", "of `import boto3`", "peak memory, MB")]
    for name in FUNCTIONS:
        cells = ("startup", f"{name}_ms"), ("startup", f"{name}_ratio"), ("memory", f"{name}_mb")
        rows.append((f"`{name}`", *(_shown(results, part, figure) for part, figure in cells)))
    boto3 = _shown(results, "startup", "boto3_ms")
    return (
        "## Start-up and memory\n\nImport and first event in a fresh process, less a bare "
        f"interpreter's start; `import boto3` took {boto3} ms in the same run. Medians of "
        f"{_shown(results, 'startup', 'n')} rounds in turn. The AWS calls of the event are "
        f"answered by a stub, without TLS.\n\n{markdown(rows, (1, 2, 3))}"
    )


_REQUESTS = {
    "place": "`execute`: place",
    "read": "`execute`: read",
    "settle": "`worker`: settle, alone",
    "settle_ten": "`worker`: settle, one of ten",
    "connect": "`ws_connect`: connect to an order",
    "disconnect": "`ws_connect`: disconnect",
    "announce": "`ws_notify`: one change, one watcher",
    "announce_ten": "`ws_notify`: one of ten changes",
    "reconcile": "`reconcile`: nothing to repair",
}


def _requests(results: Results) -> str:
    rows: list[Row] = [("CPU ms", "without AWS calls", "with them")]
    for name, what in _REQUESTS.items():
        cells = _shown(results, "request", f"{name}_alone_ms"), f"{name}_ms"
        rows.append((what, cells[0], _shown(results, "request", cells[1])))
    arithmetic = _shown(results, "arithmetic", "p50_ms")
    return (
        "## A warm request\n\nProcessor time, in memory and against a stub. Both quotes, the "
        f"search for a split and the minimum out are {arithmetic} ms of it.\n\n"
        f"{markdown(rows, (1, 2))}"
    )


def _life(results: Results) -> str:
    rows: list[Row] = [("function", "runs", "AWS calls", "write units", "read units", "log bytes")]
    names = "runs", "calls", "write_units", "read_units", "log_bytes"
    for function in FUNCTIONS:
        cells = (_shown(results, "life", f"{function}_{name}") for name in names)
        rows.append((f"`{function}`", *cells))
    life = results.parts.get("life", {})
    places = life.get("order_writes_by_place", {})
    said = ", ".join(f"{units:g} {place}" for place, units in places.items())
    largest = _shown(results, "life", "largest_item_bytes")
    return (
        "## The life of one order with one watcher\n\nCounted by botocore's events; units by "
        "DynamoDB's rules from the sizes of the rows (`bench/capacity.py`). `reconcile` is one "
        f"run, not an order's.\n\n{markdown(rows, (1, 2, 3, 4, 5))}\n\nWrite units of the order "
        f"itself: {said or '-'}. Its row has {largest} bytes at most."
    )


def _cost(results: Results) -> str:
    kinds = (
        ("DynamoDB", "dynamodb"),
        ("Lambda, time", "lambda_time"),
        ("Lambda, requests", "lambda_requests"),
        ("SQS", "sqs"),
        ("HTTP API", "http_api"),
        ("WebSocket API", "websocket"),
        ("logs", "logs"),
    )
    rows: list[Row] = [
        (
            "dollars a million orders",
            "ten a worker",
            "capacity by the hour",
            "one connection",
            "and busy",
            "one a worker",
        )
    ]
    for what, name in kinds:
        rows.append((what, *(_shown(results, "cost", f"{case}_{name}_usd") for case in cost.CASES)))
    rows.append(("**all**", *(_shown(results, "cost", f"{case}_usd") for case in cost.CASES)))
    of_prices: list[Row] = [("price", "dollars a", "page")]
    of_prices += [(f"{p.dollars:g}", p.unit, p.page) for p in prices.ALL]
    ten, one = (_shown(results, "cost", f"batch_of_{n}_ms") for n in ("ten", "one"))
    calls, others = cost.CALL_MS["dynamodb"], cost.CALL_MS["sqs"]
    assumed = (
        f"Assumed: a share of a processor is memory / 1,769 MB; a call of DynamoDB takes {calls:g} "
        f"ms, of SQS and `@connections` {others:g}; batches of the worker are full (one waits "
        f"{ten} ms for the slowest of ten, {one} for one); each change has a run of `ws_notify` to "
        "itself (see [scale](scale.md)), when it is *busy* eight share one. Not counted: storage, "
        "backups, data sent to the internet, cold starts, and what runs without orders (polling, "
        "the schedule, alarms)."
    )
    messages, asked, writes = (
        _shown(results, "cost", name) for name in ("messages", "asked_usd", "order_writes_usd")
    )
    floor = (
        f"What bounds it: the POST, a message in the queue and {messages} messages to the watcher "
        f"are ${asked} at list prices, and the order's own writes ${writes} on demand; that is "
        "before a watcher is stored, a row is read, a line is logged or a function runs. With a "
        "steady load `TableCapacity=provisioned` pays for the table by the hour, here with "
        f"{cost.USED:.0%} of it used ([when, and what it "
        "risks](decisions/2026-11-24-capacity-by-the-hour.md)). A trader who keeps *one "
        'connection* for all orders (`{"orders": "mine"}`) saves the rows and the runs of a '
        "connection an order."
    )
    return f"""## What a million orders cost

Each is placed, settled, and watched by one client to the end: by a connection of its own from just
after the POST, or by *one connection* that hears of all orders.

    DynamoDB    write units x 0.625 + read units x 0.125; by the hour, two fifths of it
    Lambda      runs x 0.20 + GB x seconds x 13.3334, seconds = CPU / share of a processor + waiting
    SQS         (1 send + 1 receive and 1 delete a batch) x 0.40
    API Gateway 1 request x 1.00 + pushes x 1.00 + 1 connection minute x 0.25
    logs        GB x 0.50; our lines and the access log's{_platform_logs()}

{markdown(rows, (1, 2, 3, 4, 5))}

{floor}

{assumed}

List prices of {prices.REGION}, {prices.DATE}:

{markdown(of_prices, (0,))}"""


def _platform_logs() -> str:
    """Say that Lambda's own lines are paid too, if the template has them written."""
    return f", and Lambda's own, {PLATFORM_BYTES} bytes a run" if lambda_logs("worker") else ""


def _growth(results: Results) -> str:
    rows: list[Row] = [("milliseconds, p50", *(f"{size:,}" for size in growth.SIZES), "ratio")]
    for name in ("submit", "get", "list", "reconcile"):
        cells = (_shown(results, "growth", f"{name}_{size}_ms") for size in growth.SIZES)
        rows.append((name, *cells, _shown(results, "growth", f"{name}_ratio")))
    told: list[Row] = [("watchers of one order", *map(str, growth.WATCHERS))]
    for what, name in (("half have heard, ms", "half"), ("all have heard, ms", "all")):
        cells = (_shown(results, "watchers", f"{name}_{count}_ms") for count in growth.WATCHERS)
        told.append((what, *cells))
    return (
        "## As it grows\n\nStored orders, of a hundred an account; 20 of them open, for the "
        f"reconciler to look at.\n\n{markdown(rows, (1, 2, 3, 4))}\n\n"
        f"{markdown(told, tuple(range(1, 6)))}"
    )


def _emulator(results: Results) -> str:
    rows: list[Row] = [("the embedded cloud itself", "")]
    for what, name in (
        ("one call by boto3, ms", "call_ms"),
        ("of which the client's CPU", "call_client_cpu_ms"),
        ("the client's CPU of a call after a pause of 50 ms", "call_paused_cpu_ms"),
        ("of which the emulator's CPU", "call_emulator_cpu_ms"),
        ("one call by plain HTTP, ms", "plain_call_ms"),
        ("calls a second in all, by boto3 in 4 processes", "boto3_calls_per_s"),
        ("calls a second in all, by plain HTTP in 4 processes", "plain_calls_per_s"),
    ):
        rows.append((what, _shown(results, "emulator", name)))
    overhead = results.parts.get("overhead", {})
    if "emulator_cpu_ms" in overhead:
        parts = [overhead[f"{n}_cpu_ms"] for n in ("emulator", "functions", "front_door")]
        share = f"{parts[0] / sum(parts):.0%}"
        rows.append(("its share of all CPU of an order, one at a time", share))
    return f"## The floor here\n\n{markdown(rows, (1,))}"


def _profile(results: Results) -> str:
    profile = results.parts.get("profile", {})
    starts, requests = profile.get("starts", {}), profile.get("requests", {})
    return (
        "## Where it goes\n\nMilliseconds by package. A start: wall time of each package's own "
        "imports, the least of three runs, so the sum may differ from the CPU above. A request: "
        "processor time under cProfile, which makes Python code look slower than C code.\n\n"
        f"{_packages('a start', starts)}\n\n{_packages('a warm request', requests)}"
    )


def _packages(what: str, columns: dict[str, dict[str, float]]) -> str:
    names = sorted(_all_names(columns.values()), key=lambda n: (-_sum(n, columns.values()), n))
    rows: list[Row] = [(what, *columns)]
    for name in names:
        cells = (f"{c[name]:.1f}" if name in c else "" for c in columns.values())
        rows.append((name, *cells))
    return markdown(rows, tuple(range(1, len(columns) + 1)))


def _all_names(columns: Iterable[dict[str, float]]) -> set[str]:
    return {name for column in columns for name in column}


def _sum(name: str, columns: Iterable[dict[str, float]]) -> float:
    return sum(column.get(name, 0.0) for column in columns)


def _wrapped(text: str) -> str:
    return fill(text, 100, break_long_words=False, break_on_hyphens=False)


def _shown(results: Results, part: str, name: str) -> str:
    value = results.value(part, name)
    if value is None:
        return "-"
    return f"{value:,.0f}" if value == int(value) or value >= 1_000 else f"{value:g}"
