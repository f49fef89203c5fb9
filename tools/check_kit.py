"""What the checks that read the tree's text share: a self-test on made-up files, and the command line."""
import argparse
import os
import pathlib
import subprocess
import sys
import tempfile

ROOT = os.path.realpath(os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))


def files_of(root, wanted):
    """The tree's files whose path wanted(path) takes, sorted: what git lists, or, in a folder without it, what is there."""
    listed = subprocess.run(["git", "-C", root, "ls-files", "-co", "--exclude-standard"], capture_output=True, text=True)
    names = listed.stdout.splitlines() if listed.returncode == 0 else [
        os.path.relpath(os.path.join(where, name), root) for where, _, found in os.walk(root) for name in found]
    return sorted(name for name in names if wanted(name) and os.path.isfile(os.path.join(root, name)))


def self_test(name, what, samples, problems_of, others=None):
    """Writes made-up files and looks at them. `samples` is path -> (text, number of problems in it), so that a rule that stops working, or
    hits the innocent, is noticed; `others` is path -> text of what they refer to, where a script can be run; problems_of(root) gives lines
    "path:…". Returns the exit code."""
    wrong = []
    with tempfile.TemporaryDirectory() as root:
        for path, text in [*(others or {}).items(), *((path, text) for path, (text, _) in samples.items())]:
            file = pathlib.Path(root, path)
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8")
            if path.endswith(".sh"):
                file.chmod(0o755)
        problems = problems_of(root)
    for path, (_, expected) in samples.items():
        found = [problem for problem in problems if problem.startswith(path + ":")]
        if len(found) != expected:
            wrong.append(f"{path}: expected {expected} problems, found {len(found)}: {found}")
    for line in wrong:
        print(line, file=sys.stderr)
    print(f"{name} self-test: {len(samples) - len(wrong)} of {len(samples)} {what} as expected")
    return 1 if wrong else 0


def main(about, title, what, test, check):
    """Runs `test`, or check(root) -> (what was looked at, problems) and prints these. Nothing to look at is a failure, too. Returns the exit
    code."""
    parser = argparse.ArgumentParser(description=about, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--self-test", action="store_true")
    parser.add_argument("--root", default=ROOT)
    options = parser.parse_args()
    if options.self_test:
        return test()
    files, problems = check(os.path.realpath(options.root))
    for problem in problems:
        print(problem)
    print(f"{title}: {len(files)} {what}, {len(problems)} problems")
    return 1 if problems or not files else 0
