"""The figures of a run: numbers with their ranges, what the table shows of them, and the file they are kept in."""
import datetime
import json
import os
import statistics

FORMAT = 2


def rounded(value):
    """Four significant digits: more would be noise."""
    return None if value is None else float(f"{value:.4g}")


def ratio(over, under):
    """None where a ratio would say nothing."""
    return over / under if under > 0 and over >= 0 else None


class Figures:
    """Named numbers. A figure of several rounds is their median, and has a range."""

    def __init__(self):
        self.values = {}
        self.ranges = {}

    def keep(self, name, value):
        self.values[name] = rounded(value)

    def keep_rounds(self, name, values):
        values = [value for value in values if value is not None]
        if not values:
            self.values[name] = None
            return
        self.keep(name, statistics.median(values))
        self.ranges[name] = [rounded(min(values)), rounded(max(values))]

    def get(self, name):
        return self.values.get(name)


def document(figures, about, further):
    """What is written to bench-results.json; `further` are the parts that are no plain numbers."""
    return {"format": FORMAT, "measured_at": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"),
            **about, "figures": figures.values, "ranges": figures.ranges, **further}


def write_json(path, data):
    """Whole or not at all; one figure a line, so that a difference can be read."""
    text = json.dumps(data, indent=1, ensure_ascii=False)
    with open(path + ".new", "w", encoding="utf-8") as file:
        file.write(text + "\n")
    os.replace(path + ".new", path)


def read_json(path):
    """The object in the file; ValueError with a sentence when there is none."""
    try:
        with open(path, encoding="utf-8") as file:
            data = json.load(file)
    except OSError as error:
        raise ValueError(f"{path} cannot be read: {error.strerror}") from None
    except ValueError as error:
        raise ValueError(f"{path} is no JSON: {error}") from None
    if not isinstance(data, dict):
        raise ValueError(f"{path} holds no JSON object")
    return data


def read_results(path):
    data = read_json(path)
    if data.get("format") != FORMAT or not isinstance(data.get("figures"), dict) or not isinstance(data.get("ranges"), dict):
        raise ValueError(f"{path} is no result of this version of the benchmark (format {FORMAT})")
    return data


# --- the table -------------------------------------------------------------------------------------------------------------

def rows(settings):
    """(label, figure of the provider alone, of nginx, of the gateway, of the ratio, budget)."""
    connections, streams, models, rate = (settings.get(name, "?") for name in ("connections", "streams", "models", "rate"))

    def row(label, name, ratio_name="", budget="", who=("nginx", "gateway")):
        return (label, *(f"{one}_{name}" if one in who else "" for one in ("direct", "nginx", "gateway")), ratio_name, budget)

    everyone = ("direct", "nginx", "gateway")
    for name, suffix in (("plain", ""), ("tls", "_tls")):
        yield row(f"CPU a request, {name} upstream (us)", f"cpu_us_per_request_{name}", f"cpu_ratio_to_nginx{suffix}", "ratio <= 2.0")
        yield row(f"requests/s at {connections} connections, {name}", f"requests_per_second_{name}", f"throughput_ratio_to_nginx{suffix}")
    for name, budget in (("p50", "<= 100"), ("p99", "<= 250")):
        yield row(f"added latency, 1 connection, {name} (us)", f"added_latency_{name}_us", f"added_latency_{name}_ratio_to_nginx", budget)
    for name in ("p50", "p90", "p99", "p999"):
        yield row(f"latency at {rate}/s, {name.replace('999', '99.9')} (us)", f"open_latency_{name}_us",
                  f"open_latency_{name}_ratio_to_nginx", "", everyone)
    yield row(f"unanswered at {rate}/s", "open_unanswered", "", "0", everyone)
    yield row(f"streams complete of {streams}", "streams_complete", "", str(streams), everyone)
    yield row("streams lost", "streams_lost", "", "0", everyone)
    yield row("streams cut, mixed up or another's", "streams_incomplete", "", "0", everyone)
    yield row("deltas lost", "deltas_lost", "", "0", everyone)
    yield row("deltas late by over 50 ms", "deltas_late", "", "", everyone)
    yield row("deltas after a stall of over 200 ms", "deltas_stalled", "", "0", everyone)
    yield row("longest gap between deltas (ms)", "stream_longest_gap_ms", "", "<= 200", everyone)
    yield row("delta behind its time, p99 (ms)", "stream_behind_p99_ms", "", "", everyone)
    yield row("CPU a delta (us)", "stream_cpu_us_per_delta", "stream_cpu_ratio_to_nginx", "ratio <= 2")
    yield row("memory a stream (KiB)", "stream_kib_each", "", "<= 20")
    yield row("resident memory, idle (MiB)", "rss_idle_mib", "", "<= 30")
    yield row("resident memory, after load (MiB)", "rss_after_load_mib", "", "<= 60")
    yield row("resident memory, after a rest (MiB)", "rss_after_rest_mib")
    yield (f"start to /ready, {models} models (ms)", "", "", "start_to_ready_ms", "", "<= 100")
    yield ("records not delivered after a run", "", "", "gateway_records_left", "", "")
    yield ("ledger, outcomes/s into PostgreSQL", "", "", "ledger_outcomes_per_second", "", ">= 10000")
    yield ("ledger, outcomes lost", "", "", "ledger_lost", "", "0")
    yield row("wrong answers under load", "load_errors", "", "0", everyone)
    yield row("of these with another prompt's nonce", "wrong_nonces", "", "0", everyone)


def shown(value):
    if value is None:
        return "-"
    return f"{value:.4g}" if abs(value) < 10000 else f"{value:.0f}"


def with_range(results, name):
    """`45.1 (44–47)`."""
    value, span = results["figures"].get(name), results["ranges"].get(name)
    return shown(value) if value is None or span is None else f"{shown(value)} ({shown(span[0])}–{shown(span[1])})"


def print_table(results):
    line = "{:<37} {:>20} {:>20} {:>21} {:>20}  {}".format
    print(line("median (range)", "direct", "nginx", "gateway", "ratio of pairs", "budget"))
    for label, *names, budget in rows(results.get("settings", {})):
        if any(results["figures"].get(name) is not None for name in names):
            print(line(label, *(with_range(results, name) if name else "" for name in names), budget).rstrip())
    if results.get("toll"):
        print("\n" + "{:<38} {:>22}   {}".format("toll of a feature (CPU us a request)", "median (range)", "how"))
        for entry in results["toll"]:
            value = "-" if entry["us"] is None else "{} ({}–{})".format(*(shown(entry[key]) for key in ("us", "low", "high")))
            print("{:<38} {:>22}   {}".format(entry["feature"], value, entry["how"]))
    if results.get("peers"):
        print("\n" + "{:<38} {:>22} {:>22} {:>14} {:>14} {:>8}".format(
            "beside us", "CPU a request (us)", "ratio to nginx", "requests/s", "p99 (us)", "wrong"))
        for peer in results["peers"]:
            print("{:<38} {:>22} {:>22} {:>14} {:>14} {:>8}".format(
                peer["name"], *(f"{shown(peer[key][0])} ({shown(peer[key][1])}–{shown(peer[key][2])})"
                                for key in ("cpu_us_per_request", "cpu_ratio_to_nginx")),
                *(shown(peer[key]) for key in ("requests_per_second", "open_latency_p99_us", "errors"))))
