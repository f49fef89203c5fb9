"""A run against the baseline of ratios.

The baseline holds what does not depend on how fast the machine is: ratios to nginx of the same run, and memory. A figure has become
worse when its range and the baseline's do not touch and the medians differ by more than the figure's tolerance; a figure that is measured
once has no range, and its tolerance alone decides. What must be zero is judged without a baseline.
"""
import dataclasses
import datetime

FORMAT = 1


@dataclasses.dataclass(frozen=True)
class Kind:
    label: str
    tolerance: float  # of the baseline's median
    lower_is_better: bool = True


COMPARED = {
    "cpu_ratio_to_nginx": Kind("CPU a request ÷ nginx", 0.08),
    "cpu_ratio_to_nginx_tls": Kind("CPU a request, HTTPS upstream ÷ nginx", 0.08),
    "stream_cpu_ratio_to_nginx": Kind("CPU a delta ÷ nginx", 0.12),
    "throughput_ratio_to_nginx": Kind("requests/s ÷ nginx", 0.10, lower_is_better=False),
    "throughput_ratio_to_nginx_tls": Kind("requests/s, HTTPS upstream ÷ nginx", 0.10, lower_is_better=False),
    "added_latency_p50_ratio_to_nginx": Kind("added latency p50 ÷ nginx's", 0.15),
    "added_latency_p99_ratio_to_nginx": Kind("added latency p99 ÷ nginx's", 0.40),
    "open_latency_p50_ratio_to_nginx": Kind("latency p50 at a constant rate ÷ nginx", 0.15),
    "open_latency_p99_ratio_to_nginx": Kind("latency p99 at a constant rate ÷ nginx", 0.40),
    "gateway_stream_kib_each": Kind("memory a stream (KiB)", 0.15),
    "gateway_rss_idle_mib": Kind("resident memory, idle (MiB)", 0.10),
    "gateway_rss_after_load_mib": Kind("resident memory, after load (MiB)", 0.15),
    "gateway_rss_after_rest_mib": Kind("resident memory, after a rest (MiB)", 0.15),
}
ZERO = {
    "gateway_load_errors": "wrong answers under load",
    "gateway_wrong_nonces": "answers to another prompt",
    "gateway_streams_lost": "streams lost",
    "gateway_streams_incomplete": "streams cut, mixed up or another's",
    "gateway_deltas_lost": "deltas lost",
    "ledger_lost": "outcomes lost by the ledger",
}


def baseline_of(results):
    """The baseline that a run would be."""
    figures = {}
    for name in COMPARED:
        value = results["figures"].get(name)
        if value is not None:
            low, high = results["ranges"].get(name, (value, value))
            figures[name] = {"median": value, "low": low, "high": high}
    return {"format": FORMAT, "made_at": datetime.date.today().isoformat(), "cores": results.get("cores"), "rounds": results.get("rounds"),
            "quick": results.get("quick"), "load_before": results.get("load_before"), "figures": figures}


def check_baseline(baseline, path):
    """ValueError with a sentence when the object is no baseline."""
    def is_number(value):
        return isinstance(value, (int, float)) and not isinstance(value, bool)

    if baseline.get("format") != FORMAT or not isinstance(baseline.get("figures"), dict):
        raise ValueError(f"{path} is no baseline (format {FORMAT})")
    for name in ("cores", "load_before"):
        if not (baseline.get(name) is None or is_number(baseline[name])):
            raise ValueError(f"{path}: {name} is no number")
    for name, entry in baseline["figures"].items():
        if name not in COMPARED:
            raise ValueError(f"{path}: the figure {name} is not known")
        if not isinstance(entry, dict) or not all(is_number(entry.get(key)) for key in ("median", "low", "high")):
            raise ValueError(f"{path}: the figure {name} needs the numbers median, low and high")
        if not 0 <= entry["low"] <= entry["median"] <= entry["high"] or entry["median"] == 0:
            raise ValueError(f"{path}: low, median and high of {name} are not in order")


def judge(kind, base, low, median, high):
    """`same`, `better` or `WORSE`."""
    change = median / base["median"] - 1
    apart = low > base["high"] or high < base["low"]
    if not apart or abs(change) <= kind.tolerance:
        return "same"
    return "better" if (change < 0) == kind.lower_is_better else "WORSE"


def compare(results, baseline):
    """[(label, base entry or None, (low, median, high) or None, change or None, verdict)] for every figure that either side has."""
    found = []
    for name, kind in COMPARED.items():
        base, value = baseline["figures"].get(name), results["figures"].get(name)
        if base is None and value is None:
            continue
        if base is None or value is None:
            found.append((kind.label, base, value if value is None else (value,) * 3, None, "new" if base is None else "not measured"))
            continue
        low, high = results["ranges"].get(name, (value, value))
        found.append((kind.label, base, (low, value, high), value / base["median"] - 1, judge(kind, base, low, value, high)))
    for name, label in ZERO.items():
        value = results["figures"].get(name)
        if value is not None:
            found.append((label, None, (value,) * 3, None, "same" if value == 0 else "WORSE"))
    return found


def span(low, median, high):
    return f"{median:.4g}" if low == high else f"{median:.4g} ({low:.4g}–{high:.4g})"


def print_comparison(results, baseline, path):
    """Prints it and returns how many figures became worse."""
    line = "{:<42} {:>24} {:>24} {:>8}   {}".format
    print(f"\nAgainst {path} of {baseline.get('made_at', '?')} (ratios and memory, not times):")
    print(line("", "baseline", "now", "change", ""))
    entries = compare(results, baseline)
    for label, base, now, change, verdict in entries:
        print(line(label, "must be 0" if base is None and verdict in ("same", "WORSE") else
                   "-" if base is None else span(base["low"], base["median"], base["high"]),
                   "-" if now is None else span(*now), "" if change is None else f"{change:+.0%}", "" if verdict == "same" else verdict))
    worse = sum(verdict == "WORSE" for *_, verdict in entries)
    better = sum(verdict == "better" for *_, verdict in entries)
    print(f"{worse} worse, {better} better, {len(entries) - worse - better} the same or without comparison")
    if baseline.get("cores") != results.get("cores"):
        print(f"The baseline was made on {baseline.get('cores')} cores, this run on {results.get('cores')}: compare with care.")
    if (baseline.get("load_before") or 0) > (baseline.get("cores") or 1) / 2:
        print("The baseline comes from a busy machine: its ranges are wide, and hide what became worse.")
    return worse
