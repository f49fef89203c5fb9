"""What the checks that read compile_commands.json share: its entries, a cache of good results, and running them side by side."""
import concurrent.futures
import functools
import hashlib
import json
import os
import re
import shlex
import subprocess
import sys
import tempfile
import time

ROOT = os.path.realpath(os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))


class Entry:
    """One source and the arguments it is compiled with (without the compiler, a launcher, -c and -o)."""

    def __init__(self, record):
        words = record.get("arguments") or shlex.split(record["command"])
        if os.path.basename(words[0]) == "ccache":
            words = words[1:]
        self.directory = record["directory"]
        self.path = os.path.realpath(os.path.join(self.directory, record["file"]))
        self.name = os.path.relpath(self.path, ROOT)
        self.is_c = self.path.endswith(".c")
        self.arguments = []
        skip = False
        for word in words[1:]:
            if skip:
                skip = False
            elif word in ("-o", "-MF", "-MT", "-MQ"):
                skip = True
            elif word in ("-c", "-MD", "-MMD") or os.path.realpath(os.path.join(self.directory, word)) == self.path:
                continue
            else:
                self.arguments.append(word)


def load(build_dir, folders):
    """The entries of our own sources below `folders`, each source once."""
    path = os.path.join(build_dir, "compile_commands.json")
    try:
        with open(path, encoding="utf-8") as database:
            records = json.load(database)
    except OSError as error:
        sys.exit(f"{path}: {error.strerror} (configure first: cmake --preset debug)")
    entries = {}
    for record in records:
        entry = Entry(record)
        if entry.name.split(os.sep)[0] in folders and os.path.exists(entry.path):
            entries.setdefault(entry.name, entry)
    return [entries[name] for name in sorted(entries)]


class Cache:
    """Remembers that a check of a source was good, by the contents of all files that the source included then.

    Our files count by content, the system's by size and time. A bad result is never remembered.
    """

    def __init__(self, folder, what):
        self.folder = folder
        self.what = what
        self.digests = {}
        os.makedirs(folder, exist_ok=True)

    def _file(self, entry):
        key = hashlib.sha256("\0".join([self.what, entry.path, *entry.arguments]).encode()).hexdigest()
        return os.path.join(self.folder, key)

    def _digest(self, path):
        if path not in self.digests:
            try:
                if path.startswith(ROOT + os.sep):
                    with open(path, "rb") as content:
                        self.digests[path] = hashlib.sha256(content.read()).hexdigest()
                else:
                    status = os.stat(path)
                    self.digests[path] = f"{status.st_size} {status.st_mtime_ns}"
            except OSError:
                self.digests[path] = "absent"
        return self.digests[path]

    def _sum(self, dependencies):
        return hashlib.sha256("".join(f"{d} {self._digest(d)}\n" for d in dependencies).encode()).hexdigest()

    def is_good(self, entry):
        try:
            with open(self._file(entry), encoding="utf-8") as stored:
                wanted, *dependencies = stored.read().split("\n")
        except OSError:
            return False
        return wanted == self._sum(dependencies)

    def remember(self, entry, make_rule):
        """`make_rule` is what a compiler's -MF wrote."""
        words = make_rule.replace("\\\n", " ").split(":", 1)[-1].replace("\\ ", "\0").split()
        paths = sorted({os.path.realpath(os.path.join(entry.directory, w.replace("\0", " "))) for w in words})
        temporary = f"{self._file(entry)}.{os.getpid()}"
        with open(temporary, "w", encoding="utf-8") as stored:
            stored.write("\n".join([self._sum(paths), *paths]))
        os.replace(temporary, self._file(entry))


def version_of(program):
    return subprocess.run([program, "--version"], capture_output=True, text=True, check=True).stdout


def kind(entry):
    """What sources must share to be read as one: all arguments but those that only add macros and folders; modules stay apart, since
    each of them defines the same entry point."""
    return (entry.is_c, *(word for word in entry.arguments
                          if word.endswith("_EXPORTS") or not word.startswith(("-D", "-I", "-fPIC", "-fPIE", "/"))))


@functools.lru_cache(maxsize=None)
def has_main(entry):
    with open(entry.path, encoding="utf-8", errors="replace") as source:
        return re.search(r"^int main\(", source.read(), re.MULTILINE) is not None


def in_batches(entries, size):
    """Sources that may be read as one, at most `size` together, neighbours first; of programs only one, for its main()."""
    batches = []
    latest = {}
    for entry in entries:
        batch = latest.get(kind(entry))
        if batch is None or len(batch) == size or (has_main(entry) and any(has_main(other) for other in batch)):
            batch = latest[kind(entry)] = []
            batches.append(batch)
        batch.append(entry)
    return batches


def arguments_of(entries):
    """For all of them as one source."""
    arguments = list(entries[0].arguments)
    for entry in entries[1:]:
        arguments += [word for word in entry.arguments if word.startswith(("-D", "-I")) and word not in arguments]
    return arguments


def together(entries, check):
    """check(source, entries) -> (error text, make rule) of them all as one source, which reads what they include once.

    What is bad there may be good alone, for names of two sources may clash in one: those that the errors name are then checked apart from
    the others, down to the single source. Returns (entry, error text, make rule) of each.
    """
    if len(entries) == 1:
        return [(entries[0], *check(entries[0].path, entries))]
    suffix = ".c" if entries[0].is_c else ".cpp"
    with tempfile.NamedTemporaryFile("w", suffix=suffix) as source:
        source.writelines(f'#include "{entry.path}"\n' for entry in entries)
        source.flush()
        error, rule = check(source.name, entries)
        # Nobody will find it when the rule is read again.
        rule = rule.replace(source.name, "")
    if not error:
        return [(entry, error, rule) for entry in entries]
    named = set(re.findall(r"^(/[^:\n]+):\d+:\d+: error:", error, re.MULTILINE))
    apart = [entry for entry in entries if entry.path in named]
    if not apart or len(apart) == len(entries):
        apart = entries[len(entries) // 2:]
    return together([entry for entry in entries if entry not in apart], check) + together(apart, check)


def run_all(title, entries, jobs, cache, check):
    """Checks what `cache` (or None) does not know as good; see together() for `check`. Returns the exit code."""
    started = time.monotonic()
    left = [entry for entry in entries if cache is None or not cache.is_good(entry)]
    # Large ones, since most of the time goes into what the sources include; but two a processor, so that none waits long for the last one.
    size = max(1, min(60, len(left) // (2 * jobs)))
    bad = 0
    with concurrent.futures.ThreadPoolExecutor(max_workers=jobs) as pool:
        for results in pool.map(lambda batch: together(batch, check), in_batches(left, size)):
            for entry, error, rule in results:
                if error:
                    bad += 1
                    print(f"{title}: {entry.name}\n{error.rstrip()}\n", flush=True)
                elif cache is not None and rule:
                    cache.remember(entry, rule)
    print(f"{title}: {len(entries)} sources, {bad} bad, {len(entries) - len(left)} unchanged since they were good, "
          f"{time.monotonic() - started:.0f} s")
    return 1 if bad or not entries else 0
