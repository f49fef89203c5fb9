"""bench-results.html: the figures of a run as plots and a table. One file: SVG, no script, nothing from a network."""
import html
import os

from figures import rows, shown, with_range
from plots import Bar, bars, curves

STYLE = """
:root { --ink:#1d2430; --soft:#5c6675; --line:#d9dee6; --page:#fff; --panel:#f6f8fa; --direct:#9aa5b4; --nginx:#4a7fb5; --gateway:#d9622b; --good:#2f8f5b; --bad:#c0392b }
@media (prefers-color-scheme: dark) { :root { --ink:#e6eaf0; --soft:#9aa5b4; --line:#333c48; --page:#14181e; --panel:#1c222a; --direct:#6f7b8b; --nginx:#6fa5dc; --gateway:#f08a55; --good:#5cc48c; --bad:#f07a6a } }
body { margin:0 auto; padding:24px; max-width:1160px; background:var(--page); color:var(--ink); font:15px/1.5 system-ui,sans-serif }
h1 { font-size:24px; margin:0 0 4px } h2 { font-size:17px; margin:0 0 2px }
p { margin:0 0 10px; color:var(--soft) } .warn { color:var(--bad) }
section { background:var(--panel); border:1px solid var(--line); border-radius:8px; padding:16px 20px; margin:16px 0 }
svg { display:block; width:100%; height:auto; font:12px system-ui,sans-serif }
svg text { fill:var(--ink); stroke:var(--panel); stroke-width:3px; paint-order:stroke } svg .soft { fill:var(--soft) } svg .grid { stroke:var(--line) } svg .mark { stroke:var(--bad); stroke-dasharray:4 3 }
svg .range { stroke:var(--ink); stroke-width:1.5; fill:none } svg .none { fill:none; stroke:var(--soft); stroke-dasharray:3 3 }
.direct { fill:var(--direct); stroke:var(--direct) } .nginx { fill:var(--nginx); stroke:var(--nginx) }
.gateway { fill:var(--gateway); stroke:var(--gateway) } .peer { fill:var(--soft); stroke:var(--soft) }
svg rect { stroke:none } svg polyline { fill:none; stroke-width:2 }
.wide { overflow-x:auto } table { border-collapse:collapse; width:100%; font-size:13px; font-variant-numeric:tabular-nums }
th,td { text-align:right; padding:3px 8px; border-bottom:1px solid var(--line); white-space:nowrap }
th:first-child,td:first-child { text-align:left; padding-left:0 } th { color:var(--soft); font-weight:600 } td:last-child,th:last-child { text-align:left }
.key { display:inline-block; width:12px; height:12px; border-radius:3px; margin:0 5px 0 14px; vertical-align:-1px }
.key.direct { background:var(--direct) } .key.nginx { background:var(--nginx) } .key.gateway { background:var(--gateway) }
"""


class Page:
    def __init__(self, results):
        self.results = results
        self.figures = results["figures"]
        self.ranges = results["ranges"]

    def bar(self, label, name, kind):
        value = self.figures.get(name)
        return None if value is None else Bar(label, value, *self.ranges.get(name, (value, value)), kind)

    def present(self, *wanted):
        return [bar for bar in (self.bar(*entry) for entry in wanted) if bar]

    def section(self, title, text, picture):
        return f"<section><h2>{html.escape(title)}</h2>\n<p>{text}</p>\n{picture}</section>\n" if picture else ""

    def ratios(self):
        wanted = [("plain upstream", "cpu_ratio_to_nginx", "gateway"), ("HTTPS upstream", "cpu_ratio_to_nginx_tls", "gateway"),
                  ("a delta of a stream", "stream_cpu_ratio_to_nginx", "gateway")]
        found = self.present(*wanted) + [Bar(peer["name"], *peer["cpu_ratio_to_nginx"], "peer") for peer in self.results.get("peers", [])]
        return self.section("CPU, gateway ÷ nginx", "The median of the pairs of runs, and the range of the pairs. nginx is 1; the budget is 2.",
                            bars(found, marks=[(1, "nginx"), (2, "budget")]))

    def cpu(self):
        found = []
        for label, name in (("a request, plain", "cpu_us_per_request_plain"), ("a request, HTTPS", "cpu_us_per_request_tls"),
                            ("a delta", "stream_cpu_us_per_delta")):
            found += self.present((f"{label}: nginx", f"nginx_{name}", "nginx"), (f"{label}: gateway", f"gateway_{name}", "gateway"))
        return self.section("CPU in microseconds", "User and system time of the process, divided by what it answered in the same run.",
                            bars(found, unit=" µs"))

    def latency(self):
        lines = [(name, name if name in ("direct", "nginx", "gateway") else "peer", points)
                 for name, points in self.results.get("curves", {}).items() if points]
        rate = self.results.get("settings", {}).get("rate", "?")
        return self.section(
            f"Latency at {rate} requests a second",
            "An open loop: requests arrive at a constant rate, and each latency counts from when its request was meant to be sent. "
            "Both axes are logarithmic: to the right each step is ten times as rare.", curves(lines))

    def added(self):
        # Each with a scale of its own: one slow request in a hundred would hide the rest.
        pictures = ""
        for name, budget in (("p50", 100), ("p99", 250)):
            found = self.present((f"{name}: nginx", f"nginx_added_latency_{name}_us", "nginx"),
                                 (f"{name}: gateway", f"gateway_added_latency_{name}_us", "gateway"))
            pictures += bars(found, unit=" µs", marks=[(budget, "budget")])
        return self.section("Added latency, one connection", "Over the provider asked directly. The budgets are 100 µs (p50) and 250 µs (p99).",
                            pictures)

    def memory(self):
        found = []
        for label, name in (("idle", "rss_idle_mib"), ("after load", "rss_after_load_mib"), ("after a rest", "rss_after_rest_mib")):
            found += self.present((f"{label}: nginx", f"nginx_{name}", "nginx"), (f"{label}: gateway", f"gateway_{name}", "gateway"))
        return self.section("Resident memory", "The budgets are 30 MiB idle and 60 MiB after the load.",
                            bars(found, unit=" MiB", marks=[(30, "idle"), (60, "after load")]))

    def toll(self):
        entries = self.results.get("toll", [])
        measured = [Bar(entry["feature"], entry["us"], entry["low"], entry["high"], "gateway") for entry in entries if entry["us"] is not None]
        picture = bars(measured, unit=" µs")
        others = "".join(f"<br>{html.escape(entry['feature'])}: {html.escape(entry['how'])}." for entry in entries if entry["us"] is None)
        return self.section("Toll of each feature, CPU a request",
                            f"What switching it off saves, with the range of the pairs; a range across 0 says that it cannot be told from noise.{others}",
                            picture)

    def table(self):
        lines = []
        for label, *names, budget in rows(self.results.get("settings", {})):
            if any(self.figures.get(name) is not None for name in names):
                cells = "".join(f"<td>{html.escape(with_range(self.results, name)) if name else ''}</td>" for name in names)
                lines.append(f"<tr><td>{html.escape(label)}</td>{cells}<td>{html.escape(budget)}</td></tr>")
        head = "".join(f"<th>{name}</th>" for name in ("median (range)", "direct", "nginx", "gateway", "ratio of pairs", "budget"))
        return "<section class='wide'><h2>All figures</h2>\n<table><tr>" + head + "</tr>\n" + "\n".join(lines) + "\n</table></section>\n"

    def html(self):
        results = self.results
        about = f"{results['measured_at']}, {results['cores']} cores, {results['rounds']} rounds of {shown(results['seconds_a_round'])} s each"
        busy = results.get("load_before") or 0
        warning = f"<p class='warn'>The machine was busy before the run (load {shown(busy)}): the figures are not those of a quiet one.</p>" \
            if busy > results["cores"] / 2 else ""
        key = "".join(f"<span class='key {name}'></span>{name}" for name in ("direct", "nginx", "gateway"))
        return ("<!doctype html>\n<html lang='en'><head><meta charset='utf-8'><meta name='viewport' content='width=device-width'>"
                f"<title>AI Manager: benchmark</title><style>{STYLE}</style></head><body>\n<h1>AI Manager beside nginx</h1>\n"
                f"<p>{html.escape(about)} {key}</p>\n{warning}\n" + self.ratios() + self.cpu() + self.latency() + self.added() + self.memory() +
                self.toll() + self.table() + "</body></html>\n")


def write(path, results):
    with open(path + ".new", "w", encoding="utf-8") as file:
        file.write(Page(results).html())
    os.replace(path + ".new", path)
