"""Tests of what decides and draws here: python3 tools/bench/self_test.py. No process is measured."""
import contextlib
import io
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest
import xml.etree.ElementTree

import compare
import figures
import page
import plots

HERE = pathlib.Path(__file__).resolve().parent


def results_of(**values):
    """A run with these figures: a number, or the rounds."""
    kept = figures.Figures()
    for name, value in values.items():
        (kept.keep_rounds if isinstance(value, list) else kept.keep)(name, value)
    return figures.document(kept, {"cores": 2, "rounds": 5, "seconds_a_round": 6, "quick": False, "load_before": 0.1,
                                   "settings": {"connections": 64, "streams": 1000, "models": 100, "rate": "2000"}},
                            {"curves": {}, "toll": [], "peers": []})


def verdicts(results, baseline):
    return {label: verdict for label, *_, verdict in compare.compare(results, baseline)}


CPU = compare.COMPARED["cpu_ratio_to_nginx"].label
THROUGHPUT = compare.COMPARED["throughput_ratio_to_nginx"].label


class FiguresTest(unittest.TestCase):
    def test_a_figure_of_rounds_is_their_median_with_the_range(self):
        results = results_of(cpu_ratio_to_nginx=[1.5, 9, 1.4, 1.6, 1.5])
        self.assertEqual(results["figures"]["cpu_ratio_to_nginx"], 1.5)
        self.assertEqual(results["ranges"]["cpu_ratio_to_nginx"], [1.4, 9])

    def test_what_could_not_be_measured_is_null(self):
        kept = figures.Figures()
        kept.keep_rounds("a", [None, None])
        kept.keep_rounds("b", [None, 2])
        self.assertEqual(kept.values, {"a": None, "b": 2})
        self.assertIsNone(figures.ratio(1, 0))
        self.assertIsNone(figures.ratio(-1, 2))
        self.assertEqual(figures.ratio(1, 2), 0.5)

    def test_results_are_read_back_and_others_refused(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "results.json")
            figures.write_json(path, results_of(cpu_ratio_to_nginx=1.5))
            self.assertEqual(figures.read_results(path)["figures"], {"cpu_ratio_to_nginx": 1.5})
            for text in ("", "[]", "{}", '{"format":1,"figures":{}}', '{"format":2,"figures":[],"ranges":{}}', "{"):
                pathlib.Path(path).write_text(text, encoding="utf-8")
                with self.assertRaises(ValueError, msg=text):
                    figures.read_results(path)
            with self.assertRaises(ValueError):
                figures.read_results(os.path.join(folder, "none"))

    def test_the_table_has_what_was_measured_only(self):
        output = io.StringIO()
        with contextlib.redirect_stdout(output):
            figures.print_table(results_of(cpu_ratio_to_nginx=[1, 2, 3], gateway_load_errors=0))
        self.assertRegex(output.getvalue(), r"CPU a request, plain upstream.* 2 \(1–3\)  ratio <= 2.0\n")
        self.assertRegex(output.getvalue(), r"wrong answers under load +- +- +0")
        self.assertNotIn("tls", output.getvalue())


class CompareTest(unittest.TestCase):
    def baseline(self, **values):
        return compare.baseline_of(results_of(**values))

    def test_noise_is_no_change(self):
        base = self.baseline(cpu_ratio_to_nginx=[1.4, 1.5, 1.6])
        for now in ([1.4, 1.5, 1.6],      # as before
                    [1.55, 1.9, 2.0],     # a much worse median, but the ranges touch
                    [1.61, 1.615, 1.62]): # apart, but within the tolerance
            self.assertEqual(verdicts(results_of(cpu_ratio_to_nginx=now), base)[CPU], "same", now)

    def test_what_is_apart_and_beyond_the_tolerance_has_changed(self):
        base = self.baseline(cpu_ratio_to_nginx=[1.4, 1.5, 1.6], throughput_ratio_to_nginx=[0.6, 0.65, 0.7])
        worse = results_of(cpu_ratio_to_nginx=[1.7, 1.8, 1.9], throughput_ratio_to_nginx=[0.4, 0.45, 0.5])
        better = results_of(cpu_ratio_to_nginx=[1.1, 1.2, 1.3], throughput_ratio_to_nginx=[0.8, 0.85, 0.9])
        self.assertEqual(verdicts(worse, base), {CPU: "WORSE", THROUGHPUT: "WORSE"})
        self.assertEqual(verdicts(better, base), {CPU: "better", THROUGHPUT: "better"})

    def test_a_figure_without_a_range_has_its_tolerance(self):
        base = self.baseline(gateway_rss_idle_mib=20)
        label = compare.COMPARED["gateway_rss_idle_mib"].label
        for value, verdict in ((21.9, "same"), (22.1, "WORSE"), (17.9, "better")):
            self.assertEqual(verdicts(results_of(gateway_rss_idle_mib=value), base)[label], verdict)

    def test_what_must_be_zero_needs_no_baseline(self):
        found = verdicts(results_of(gateway_streams_lost=1, gateway_load_errors=0), self.baseline())
        self.assertEqual(found, {"streams lost": "WORSE", "wrong answers under load": "same"})

    def test_what_one_side_lacks_is_named(self):
        base = self.baseline(cpu_ratio_to_nginx=1.5)
        self.assertEqual(verdicts(results_of(throughput_ratio_to_nginx=0.5), base), {CPU: "not measured", THROUGHPUT: "new"})

    def test_a_baseline_holds_no_time(self):
        base = self.baseline(cpu_ratio_to_nginx=[1.4, 1.5, 1.6], gateway_cpu_us_per_request_plain=45, start_to_ready_ms=90)
        self.assertEqual(base["figures"], {"cpu_ratio_to_nginx": {"median": 1.5, "low": 1.4, "high": 1.6}})
        compare.check_baseline(base, "b")
        self.assertFalse([name for name in compare.COMPARED if name.endswith(("_us", "_ms", "_per_second"))])

    def test_a_bad_baseline_is_refused_by_name(self):
        good = {"median": 1.5, "low": 1.4, "high": 1.6}
        for figure in ({**good, "low": 1.55}, {**good, "high": "2"}, {**good, "median": None}, {"median": 1}, 1.5, {"median": 0, "low": 0, "high": 0}):
            with self.assertRaisesRegex(ValueError, "cpu_ratio_to_nginx"):
                compare.check_baseline({"format": 1, "figures": {"cpu_ratio_to_nginx": figure}}, "b")
        with self.assertRaisesRegex(ValueError, "unheard_of"):
            compare.check_baseline({"format": 1, "figures": {"unheard_of": good}}, "b")
        with self.assertRaisesRegex(ValueError, "load_before"):
            compare.check_baseline({"format": 1, "load_before": "high", "figures": {}}, "b")
        with self.assertRaisesRegex(ValueError, "format"):
            compare.check_baseline({"figures": {}}, "b")

    def test_a_baseline_of_a_busy_machine_says_so(self):
        for load, said in ((0.9, False), (1.1, True)):
            output = io.StringIO()
            with contextlib.redirect_stdout(output):
                compare.print_comparison(results_of(), {**self.baseline(), "load_before": load}, "b.json")
            self.assertEqual("busy" in output.getvalue(), said)

    def test_it_says_how_many(self):
        output = io.StringIO()
        with contextlib.redirect_stdout(output):
            worse = compare.print_comparison(results_of(cpu_ratio_to_nginx=3.0, gateway_rss_idle_mib=20),
                                             self.baseline(cpu_ratio_to_nginx=1.5, gateway_rss_idle_mib=20), "b.json")
        self.assertEqual(worse, 1)
        self.assertRegex(output.getvalue(), r"\+100% +WORSE\n")
        self.assertIn("1 worse, 0 better, 1 the same", output.getvalue())


class PageTest(unittest.TestCase):
    def full(self):
        results = results_of(cpu_ratio_to_nginx=[1.4, 1.5, 1.6], nginx_cpu_us_per_request_plain=[20, 21, 22], gateway_rss_idle_mib=20,
                             gateway_added_latency_p99_us=[20000, 30000, 40000], nginx_added_latency_p99_us=[-3, 5, 6])
        results["curves"] = {"direct": [[0, 5.0], [50, 10.0], [99.9, 50.0], [100, 90.0]], "gateway": [[0, 0.0], [50, 40.0], [100, 2000.0]]}
        results["toll"] = [{"feature": "a <b> & c", "us": -1, "low": -3, "high": 2, "how": "x"},
                           {"feature": "d", "us": None, "low": None, "high": None, "how": "no <switch>"}]
        results["peers"] = [{"name": "other", "cpu_ratio_to_nginx": [5, 4, 6]}]
        return results

    def test_every_plot_is_well_formed_and_within_its_box(self):
        text = page.Page(self.full()).html()
        pictures = re.findall(r"<svg.*?</svg>", text, re.DOTALL)
        self.assertEqual(len(pictures), 6)
        for picture in pictures:
            root = xml.etree.ElementTree.fromstring(picture)
            width, height = (float(value) for value in root.get("viewBox").split()[2:])
            for element in root.iter():
                for name, limit in (("x", width), ("x1", width), ("x2", width), ("cx", width), ("y", height), ("y1", height), ("y2", height), ("cy", height)):
                    if element.get(name) is not None:
                        self.assertTrue(0 <= float(element.get(name)) <= limit, xml.etree.ElementTree.tostring(element))

    def test_it_needs_nothing_from_a_network_and_escapes_what_it_shows(self):
        text = page.Page(self.full()).html()
        self.assertNotRegex(text, r"https?://|<script|<link|url\(|src=")
        self.assertNotIn("<b>", text)
        self.assertIn("a &lt;b&gt; &amp; c", text)
        self.assertIn("no &lt;switch&gt;", text)

    def test_a_run_of_almost_nothing_has_a_page(self):
        text = page.Page(results_of()).html()
        self.assertNotIn("<svg", text)
        self.assertIn("All figures", text)

    def test_a_busy_machine_is_named(self):
        results = results_of()
        self.assertNotIn("was busy", page.Page(results).html())
        results["load_before"] = 7.5
        self.assertIn("was busy", page.Page(results).html())

    def test_ticks_are_round_and_within(self):
        self.assertEqual(plots.ticks(0, 10), [0, 2, 4, 6, 8, 10])
        self.assertEqual(plots.ticks(-3, 7), [-2, 0, 2, 4, 6])
        self.assertEqual(plots.ticks(0, 0.004)[-1], 0.004)


class CommandTest(unittest.TestCase):
    def run_bench(self, folder, *arguments):
        done = subprocess.run([sys.executable, "-B", str(HERE / "bench.py"), *arguments], cwd=folder, capture_output=True, text=True, check=False)
        return done.returncode, done.stdout + done.stderr

    def test_compares_an_earlier_run_and_is_strict_only_when_asked(self):
        with tempfile.TemporaryDirectory() as folder:
            figures.write_json(os.path.join(folder, "results.json"), results_of(cpu_ratio_to_nginx=[1.4, 1.5, 1.6]))
            code, text = self.run_bench(folder, "--from", "results.json", "--write-baseline")
            self.assertEqual(code, 0, text)
            figures.write_json(os.path.join(folder, "results.json"), results_of(cpu_ratio_to_nginx=[2.4, 2.5, 2.6]))
            code, text = self.run_bench(folder, "--from", "results.json", "--compare", "bench-baseline.json")
            self.assertEqual(code, 0, text)
            self.assertIn("1 worse", text)
            code, text = self.run_bench(folder, "--from", "results.json", "--compare", "bench-baseline.json", "--strict")
            self.assertEqual(code, 1, text)
            self.assertTrue(os.path.getsize(os.path.join(folder, "bench-results.html")))

    def test_refuses_what_it_does_not_understand(self):
        with tempfile.TemporaryDirectory() as folder:
            pathlib.Path(folder, "bad.json").write_text(json.dumps({"format": 1, "figures": {"x": 1}}), encoding="utf-8")
            for arguments, word in ((["--nothing"], "--nothing"), (["--rounds", "0"], "--rounds"), (["--seconds", "nan"], "--seconds"),
                                    (["--rate", "-1"], "--rate"), (["--only", "cpu,tea"], "tea"), (["--strict"], "--compare"),
                                    (["--compare", "bad.json"], "figure x"), (["--compare", "none.json"], "none.json"),
                                    (["--from", "none.json"], "none.json"), (["--build-dir", "none"], "lacks fake_provider")):
                code, text = self.run_bench(folder, *arguments)
                self.assertEqual(code, 1, arguments)
                self.assertIn(word, text)
                self.assertNotIn("Traceback", text)

    def test_the_committed_baseline_can_be_read(self):
        path = HERE.parent.parent / "bench-baseline.json"
        compare.check_baseline(figures.read_json(path), path)


if __name__ == "__main__":
    unittest.main(verbosity=0)
