#!/usr/bin/env python3
"""Holds the direction of includes, and the rule that a third-party library lives in few folders.

The tables below are the house rules: each folder may include itself and what stands beside it, nothing else of ours. A folder that
is not in the table may not exist under core/.

    tools/check_includes.py              checks the tree
    tools/check_includes.py --self-test  checks this script on a made-up tree with known mistakes
"""
import os
import re
import sys

import check_kit

# Folder -> folders (or single headers) of ours that it may include. "core/*" means every folder of core.
ALLOWED = {
    "abi/include/aim/abi": [],
    "abi/include/aim/sdk": ["abi/include/aim/abi"],
    "core/base": [],
    "core/json": ["core/base"],
    "core/config": ["core/base"],
    "core/security": ["core/base"],
    "core/telemetry": ["core/base"],
    "core/completion": ["core/base"],
    "core/rating": ["core/base", "core/completion"],
    "core/resilience": ["core/base", "core/completion"],
    "core/http": ["core/base", "core/json", "core/security", "core/telemetry", "core/resilience"],
    "core/http/asio": ["core/base", "core/telemetry", "core/http", "core/security"],
    "core/http/pistache": ["core/base", "core/telemetry", "core/http", "core/security"],
    "core/http/client": ["core/base", "core/telemetry", "core/http", "core/security"],
    "core/dialect": ["core/base", "core/json", "core/completion"],
    "core/routing": ["core/base", "core/completion", "core/rating", "core/resilience"],
    "core/plugin": ["core/base", "core/json", "core/security", "core/telemetry", "core/completion", "core/http", "core/http/client/http_client.hpp",
                    "abi/include/aim/abi"],
    "core/data_client": ["core/base", "core/json", "core/http", "core/http/client", "core/completion", "core/rating"],
    "core/ledger": ["core/base", "core/json", "core/telemetry", "core/completion", "core/rating", "core/resilience", "core/data_client"],
    "core/pipeline": ["core/base", "core/json", "core/config", "core/security", "core/telemetry", "core/completion", "core/rating",
                      "core/resilience", "core/http", "core/http/client", "core/dialect", "core/routing", "core/plugin",
                      "core/data_client", "core/ledger"],
    "core/runtime": ["core/base", "core/json", "core/config", "core/security", "core/telemetry", "core/completion", "core/rating", "core/http",
                     "core/http/client", "core/routing", "core/plugin", "core/data_client", "core/ledger", "core/pipeline"],
    "core/probe": ["core/base", "core/json", "core/telemetry", "core/completion", "core/resilience", "core/http", "core/http/client",
                   "core/routing", "core/data_client", "core/ledger", "core/plugin", "core/pipeline"],
}
SERVICES = ["core/*"]
# The conformance kit speaks to plugins as they see it.
CLI = ["core/*", "abi/include/aim/abi"]
PLUGINS = ["abi/include/aim/abi", "abi/include/aim/sdk", "plugins/common"]

# A library's headers -> the folders that may know them. First match wins.
ASIO_FOLDERS = ["core/base", "core/http", "core/plugin", "core/data_client", "core/ledger", "core/pipeline", "core/probe", "core/runtime",
                "core/telemetry", "services"]
THIRD_PARTY = [
    (r"boost/beast", ["core/http/asio", "core/http/client"]),
    (r"boost/asio/(ssl/)?impl/src\.hpp", ["core/base"]),  # compiled once, for everybody
    (r"boost/asio/ssl", ["core/security", "core/http/asio", "core/http/client"]),
    (r"boost/asio", ASIO_FOLDERS),
    (r"boost/system", ASIO_FOLDERS),
    (r"boost/(dll|filesystem)", ["core/plugin"]),
    (r"boost/", ["core", "services"]),
    (r"pistache/", ["core/http/pistache"]),
    (r"(postgresql/)?libpq", ["services/data_api"]),
    (r"openssl/", ["core/security", "core/http/client"]),
    (r"rapidjson/", ["core/json", "plugins", "abi/include/aim/sdk"]),
    (r"(spdlog|fmt)/", ["core/telemetry"]),
    (r"prometheus/", ["core/telemetry"]),
    (r"tl/expected", ["core/base"]),
    (r"CLI/", ["services"]),
    (r"curl/", []),
    (r"(gtest|gmock|benchmark)/", []),
]
SOURCE = (".h", ".hpp", ".c", ".cpp")
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')
# Folders whose files are checked; tests may include everything.
CHECKED = ("abi/include/", "abi/template/", "core/", "plugins/", "services/")


def folder_of(path):
    """The folder of the table that a file belongs to."""
    parts = os.path.dirname(path).split("/")
    if parts[0] == "core":
        for length in (3, 2):
            if "/".join(parts[:length]) in ALLOWED:
                return "/".join(parts[:length])
        return "/".join(parts[:2])
    if parts[0] == "abi":
        return "/".join(parts[:4]) if parts[1:3] == ["include", "aim"] else "abi"
    return "/".join(parts[:2])


def allowed_for(folder):
    if folder.startswith("services/cli"):
        return CLI
    if folder.startswith("services/"):
        return SERVICES
    if folder.startswith("plugins/"):
        return PLUGINS
    if folder.startswith("abi") and folder not in ALLOWED:
        return ["abi/include/aim/abi", "abi/include/aim/sdk"]
    return ALLOWED.get(folder)


def resolve(root, path, name):
    """The file of ours that an include names, seen from the root, abi/include, or beside the includer; None when it is not ours."""
    beside = os.path.dirname(path)
    for base in ("", "abi/include", beside):
        candidate = os.path.normpath(os.path.join(base, name))
        if os.path.isfile(os.path.join(root, candidate)):
            return candidate, base == beside and base != ""
    # A header that is not written yet still has a direction.
    if re.match(r"(core|services|plugins|tests|abi|tools)/", name):
        return name, False
    if name.startswith("aim/"):
        return "abi/include/" + name, False
    return None, False


def may_include(includer, target_path):
    allowed = allowed_for(includer)
    target = folder_of(target_path)
    if target == includer:
        return True
    return any(rule == target or rule == target_path or (rule == "core/*" and target.startswith("core/")) for rule in allowed)


def within(folder, rules):
    return any(folder == rule or folder.startswith(rule + "/") for rule in rules)


def check_file(root, path):
    problems = []
    folder = folder_of(path)
    if allowed_for(folder) is None:
        return [f"{path}:1: {folder} is not in the table of folders (tools/check_includes.py)"]
    with open(os.path.join(root, path), encoding="utf-8", errors="replace") as source:
        for number, line in enumerate(source, 1):
            match = INCLUDE.match(line)
            if not match:
                continue
            name = match.group(2)
            target, relative = resolve(root, path, name)
            if target is not None:
                if not may_include(folder, target):
                    problems.append(f"{path}:{number}: {folder} may not include {target}")
                elif relative and not folder.startswith(("abi", "plugins/")):
                    problems.append(f"{path}:{number}: includes are written from the root: {target}")
                continue
            if folder == "abi/include/aim/abi" and not re.fullmatch(r"(std[a-z]+|limits|float|assert)\.h", name):
                problems.append(f"{path}:{number}: the C ABI depends on nothing but C's own headers, not on {name}")
                continue
            for pattern, folders in THIRD_PARTY:
                if re.match(pattern, name):
                    if not within(folder, folders):
                        where = ", ".join(folders) or "tests"
                        problems.append(f"{path}:{number}: {name} belongs to {where}, not to {folder}")
                    break
    return problems


def check(root):
    files = check_kit.files_of(root, lambda path: path.endswith(SOURCE) and path.startswith(CHECKED))
    return files, [problem for path in files for problem in check_file(root, path)]


def self_test():
    samples = {
        "core/base/a.hpp": ('#include <vector>\n#include <tl/expected.hpp>\n', 0),
        "core/base/asio_impl.cpp": ('#include <boost/asio/impl/src.hpp>\n#include <boost/asio/ssl/impl/src.hpp>\n', 0),
        "core/base/b.hpp": ('#include "core/json/a.hpp"\n', 1),
        "core/json/a.hpp": ('#include "core/base/a.hpp"\n#include <rapidjson/reader.h>\n', 0),
        "core/json/b.hpp": ('#  include   "core/http/a.hpp" // why\n', 1),
        "core/json/c.hpp": ('#include "a.hpp"\n', 1),
        "core/http/a.hpp": ('#include "core/resilience/a.hpp"\n#include <rapidjson/reader.h>\n', 1),
        "core/http/middleware/a.hpp": ('#include "core/http/a.hpp"\n#include "core/security/a.hpp"\n', 0),
        "core/http/middleware/b.hpp": ('#include "core/http/asio/a.hpp"\n#include "core/completion/a.hpp"\n', 2),
        "core/http/asio/a.hpp": ('#include <boost/beast/core.hpp>\n#include "core/http/a.hpp"\n', 0),
        "core/http/client/a.hpp": ('#include <openssl/ssl.h>\n#include <boost/asio/ssl.hpp>\n', 0),
        "core/plugin/a.hpp": ('#include "aim/abi/a.h"\n#include <boost/dll.hpp>\n#include "core/http/client/http_client.hpp"\n', 0),
        "core/plugin/b.hpp": ('#include "core/http/client/a.hpp"\n#include "aim/sdk/a.hpp"\n', 2),
        "core/pipeline/a.cpp": ('#include "core/plugin/a.hpp"\n#include "core/http/client/a.hpp"\n', 0),
        "core/pipeline/b.cpp": ('#include "core/http/asio/a.hpp"\n#include "services/x/a.hpp"\n#include <aim/abi/a.h>\n', 3),
        "core/surprise/a.hpp": ("#include <vector>\n", 1),
        "services/x/a.hpp": ('#include "core/pipeline/a.hpp"\n#include <CLI/CLI.hpp>\n', 0),
        "services/x/b.cpp": ('#include "services/y/a.hpp"\n#include <libpq-fe.h>\n#include <pistache/http.h>\n', 3),
        "services/data_api/a.cpp": ("#include <libpq-fe.h>\n", 0),
        "plugins/common/a.hpp": ('#include "aim/sdk/a.hpp"\n#include <rapidjson/reader.h>\n', 0),
        "plugins/x/a.cpp": ('#include "plugins/common/a.hpp"\n#include "aim/abi/a.h"\n#include "b.hpp"\n', 0),
        "plugins/x/b.hpp": ('#include "core/base/a.hpp"\n#include "plugins/y/a.hpp"\n#include <openssl/ssl.h>\n', 3),
        "abi/include/aim/abi/a.h": ("#include <stdint.h>\n", 0),
        "abi/include/aim/abi/b.h": ('#include <unistd.h>\n#include "aim/sdk/a.hpp"\n', 2),
        "abi/include/aim/sdk/a.hpp": ('#include "aim/abi/a.h"\n#include <string>\n', 0),
        "tests/unit/a.cpp": ('#include "plugins/x/b.hpp"\n#include <libpq-fe.h>\n', 0),
    }
    return check_kit.self_test("check_includes", "samples", samples, lambda root: check(root)[1])


if __name__ == "__main__":
    sys.exit(check_kit.main(__doc__, "include direction", "files", self_test, check))
