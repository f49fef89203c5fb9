#!/usr/bin/env python3
"""Holds that a header brings what it names: for each name of the standard library or of a third-party one that it uses, the header of that
name is included by itself or by a header of ours that it includes (what a third-party header happens to include does not count); and for
each type and constant of ours, the header that defines it.

A compiler shows it exactly, one header at a time, which takes minutes: the preset debug does for those that their source includes first,
tools/check_headers.sh for the others.

    tools/check_names.py              checks the tree
    tools/check_names.py --self-test  checks this script on made-up headers with known mistakes
"""
import os
import re
import sys

import check_includes
import check_kit

# A pattern of names -> the headers that give them, any of which will do.
NAMES = [
    (r"std::(string|to_string|stoi|stol|stoul|stoull|stod|getline)\b", {"string"}),
    (r"std::(string_view|basic_string_view)\b", {"string_view", "string"}),
    (r"std::vector\b", {"vector"}),
    (r"std::(array|to_array)\b", {"array"}),
    (r"std::span\b", {"span"}),
    (r"std::(map|multimap)\b", {"map"}),
    (r"std::(set|multiset)\b", {"set"}),
    (r"std::unordered_(map|multimap)\b", {"unordered_map"}),
    (r"std::unordered_(set|multiset)\b", {"unordered_set"}),
    (r"std::deque\b", {"deque"}),
    (r"std::list\b", {"list"}),
    (r"std::(queue|priority_queue)\b", {"queue"}),
    (r"std::(optional|nullopt|make_optional)\b", {"optional"}),
    (r"std::(variant|visit|monostate|get_if|holds_alternative)\b", {"variant"}),
    (r"std::any\b", {"any"}),
    (r"std::(tuple|tie|make_tuple|apply)\b", {"tuple"}),
    (r"std::(pair|move|forward|exchange|swap|make_pair|declval|in_place)\b",
     {"utility", "memory", "vector", "string", "string_view", "map", "functional", "optional", "variant", "algorithm", "array", "tuple"}),
    (r"std::(unique_ptr|shared_ptr|weak_ptr|make_unique|make_shared|enable_shared_from_this|addressof|allocator)\b", {"memory"}),
    (r"std::(bind|reference_wrapper|hash|less|greater|equal_to|invoke|ref|cref)\b",
     {"functional", "string", "string_view", "memory", "optional", "variant", "map", "set", "unordered_map"}),
    (r"std::function\b", {"functional"}),
    (r"std::(mutex|recursive_mutex|lock_guard|unique_lock|scoped_lock|once_flag|call_once)\b", {"mutex"}),
    (r"std::(shared_mutex|shared_lock)\b", {"shared_mutex"}),
    (r"std::(condition_variable|cv_status)\b", {"condition_variable"}),
    (r"std::(atomic\w*|memory_order\w*)\b", {"atomic", "memory"}),
    (r"std::atomic<", {"atomic"}),
    (r"std::(thread|jthread|this_thread)\b", {"thread"}),
    (r"std::(stop_token|stop_source)\b", {"stop_token", "thread"}),
    (r"std::(future|promise|async|packaged_task)\b", {"future"}),
    (r"std::chrono\b", {"chrono"}),
    (r"std::(filesystem)\b", {"filesystem"}),
    (r"std::(ifstream|ofstream|fstream)\b", {"fstream"}),
    (r"std::(istringstream|ostringstream|stringstream)\b", {"sstream"}),
    (r"std::(cout|cerr|cin|clog)\b", {"iostream"}),
    (r"std::(ostream|istream)\b", {"ostream", "istream", "iosfwd", "iostream", "sstream", "fstream"}),
    (r"std::(exception|exception_ptr|current_exception|rethrow_exception|terminate)\b", {"exception", "stdexcept", "new", "memory"}),
    (r"std::(runtime_error|logic_error|invalid_argument|out_of_range)\b", {"stdexcept"}),
    (r"std::(error_code|system_error|error_category)\b", {"system_error", "filesystem"}),
    (r"std::(sort|find|find_if|find_if_not|all_of|any_of|none_of|min_element|max_element|lower_bound|upper_bound|copy|copy_if|transform|"
     r"reverse|equal|search|remove_if|stable_sort|partition|nth_element|count_if|fill|unique|clamp|is_sorted|push_heap|pop_heap|ranges)\b",
     {"algorithm", "ranges"}),
    (r"std::(min|max)\b", {"algorithm", "string", "vector", "chrono"}),
    (r"std::(accumulate|iota|reduce|gcd)\b", {"numeric"}),
    (r"std::(numeric_limits)\b", {"limits"}),
    (r"std::(uint8_t|uint16_t|uint32_t|uint64_t|int8_t|int16_t|int32_t|int64_t|uintptr_t|uintmax_t|intmax_t)\b",
     {"cstdint", "stdint.h", "atomic", "chrono", "string", "memory", "mutex"}),
    (r"std::(size_t|ptrdiff_t|nullptr_t|byte|max_align_t)\b",
     {"cstddef", "stddef.h", "string", "string_view", "vector", "array", "span", "memory", "map", "set", "deque", "functional", "optional",
      "unordered_map", "unordered_set", "atomic", "cstring", "cstdlib", "cstdio", "utility", "algorithm", "tuple", "variant", "list"}),
    (r"std::(memcpy|memcmp|memset|memchr|memmove|strlen|strcmp|strerror)\b", {"cstring"}),
    (r"std::(strtol|strtoul|strtoull|strtod|getenv|abort|exit|malloc|free|abs)\b", {"cstdlib"}),
    (r"std::(fprintf|printf|snprintf|fputs|FILE|fopen|fclose|fflush|perror)\b", {"cstdio"}),
    (r"std::(floor|ceil|isnan|isfinite|pow|exp|log|log1p|sqrt|lround|llround|round)\b", {"cmath"}),
    (r"std::(from_chars|to_chars|chars_format)\b", {"charconv"}),
    (r"std::(errc)\b", {"system_error", "charconv", "filesystem"}),
    (r"std::(initializer_list)\b", {"initializer_list", "string", "string_view", "vector", "map", "set", "array", "algorithm", "span"}),
    (r"std::(source_location)\b", {"source_location"}),
    (r"std::(coroutine_handle|suspend_always|suspend_never)\b", {"coroutine"}),
    (r"std::(is_\w+_v|enable_if_t|decay_t|remove_cvref_t|conditional_t|invoke_result_t|underlying_type_t|is_same\b)",
     {"type_traits", "utility", "memory", "functional", "string", "string_view", "optional", "variant", "tuple", "vector", "chrono", "concepts"}),
    (r"std::(same_as|invocable|integral|convertible_to|derived_from)\b", {"concepts", "ranges"}),
    (r"std::(bit_cast|popcount|countr_zero|countl_zero|endian|bit_width|has_single_bit)\b", {"bit"}),
    (r"std::(regex\w*|smatch)\b", {"regex"}),
    (r"std::(mt19937\w*|uniform_\w+_distribution|random_device)\b", {"random"}),
    (r"std::(back_inserter|istreambuf_iterator|make_move_iterator|next|prev|distance|advance|ssize|input_iterator_tag)\b",
     {"iterator", "string", "string_view", "vector", "map", "set", "array", "span", "deque", "list", "unordered_map", "optional", "variant"}),
    (r"std::(time_t|tm|gmtime|mktime|time)\b", {"ctime", "chrono"}),
    (r"std::pmr\b", {"memory_resource"}),
    (r"\bboost::asio::ssl\b|\bssl::(context|stream)\b", {r"boost/asio/ssl.*"}),
    (r"\bboost::asio\b|\basio::", {r"boost/asio.*", r"boost/beast.*"}),
    (r"\bboost::beast\b", {r"boost/beast.*"}),
    (r"\bboost::dll\b", {r"boost/dll.*"}),
    (r"\brapidjson::", {r"rapidjson/.*"}),
    (r"\bspdlog::", {r"spdlog/.*"}),
    (r"\bprometheus::", {r"prometheus/.*"}),
    (r"\btl::(expected|unexpected)\b", {r"tl/expected\.hpp"}),
    (r"\bCLI::", {r"CLI/.*"}),
    (r"\b(SSL_CTX|SSL_SESSION|SSL)\b\s*\*", {r"openssl/.*"}),
    (r"\b(X509|EVP_PKEY|EVP_MD_CTX|BIO)\b\s*\*", {r"openssl/.*"}),
    (r"\b(PGconn|PGresult)\b", {r"libpq-fe\.h"}),
    (r"\bPistache::", {r"pistache/.*"}),
    (r"\btesting::(Test|TestWithParam|AssertionResult|TestInfo)\b|\bEXPECT_\w+\(|\bASSERT_\w+\(", {r"gtest/gtest\.h", r"gmock/gmock\.h"}),
    (r"\bMOCK_METHOD\(", {r"gmock/gmock\.h"}),
]
RULES = [(re.compile(pattern), given, re.compile("|".join(f"(?:{one})" for one in given))) for pattern, given in NAMES]
INCLUDE = re.compile(r'^\s*#\s*include\s*[<"]([^>"]+)[>"]', re.MULTILINE)
NOT_CODE = re.compile(r'//[^\n]*|/\*.*?\*/|^\s*#\s*include[^\n]*|R"([^(\s]*)\(.*?\)\1"|"(?:[^"\\\n]|\\.)*"', re.DOTALL | re.MULTILINE)


# A type or constant of a namespace, which clang-format puts at the beginning of a line.
DEFINED = re.compile(r"^(?:template <[^\n]*>\s*)?(?:class|struct|enum class|enum|union)(?: \[\[\w+\]\])? (\w+)(?: final)?(?: :[^\n;]*)? ?\{|"
                     r"^(?:template <[^\n]*>\s*)?using (\w+) =|^(?:inline )?constexpr [\w:<> ]+ (k[A-Z]\w*)\b", re.MULTILINE)
# Any definition or declaration of such a name, also within a class, and a template's parameter.
DECLARED = re.compile(r"\b(?:class|struct|enum class|enum|union|typename)(?: \[\[\w+\]\])? (\w+)|\busing (?:[\w:]+::)?(\w+)|\b(k[A-Z]\w*)(?= =|\{|,|\n)")
# Not a member, not a call, not a name of another library.
USED = re.compile(r"(?<![\w.>])(?<!rapidjson::)(?<!std::)([A-Z]\w+|k[A-Z]\w*)\b(?!\()")


class Headers:
    """What each header includes, itself and through headers of ours."""

    def __init__(self, root):
        self.root = root
        self.known = {}
        self.codes = {}

    def find(self, includer, name):
        path, _ = check_includes.resolve(self.root, includer, name)
        return path if path and os.path.isfile(os.path.join(self.root, path)) else None

    def text(self, path):
        with open(os.path.join(self.root, path), encoding="utf-8", errors="replace") as header:
            return header.read()

    def foreign(self, path):
        """The names of the headers that are not ours and that `path` brings."""
        if path not in self.known:
            self.known[path] = found = set()  # there before it is full, for a circle
            for name in INCLUDE.findall(self.text(path)):
                ours = self.find(path, name)
                found |= self.foreign(ours) if ours else {name}
        return self.known[path]


    def code(self, path):
        """The text without comments, literals and includes, its lines where they were."""
        if path not in self.codes:
            self.codes[path] = NOT_CODE.sub(lambda found: "\n" * found.group(0).count("\n"), self.text(path))
        return self.codes[path]

    def closure(self, path, found=None):
        """The header and all of ours that it includes."""
        found = set() if found is None else found
        if path not in found:
            found.add(path)
            for name in INCLUDE.findall(self.text(path)):
                ours = self.find(path, name)
                if ours:
                    self.closure(ours, found)
        return found


def names_of(pattern, code):
    return {name for found in pattern.finditer(code) for name in found.groups() if name}


def may_know(path, definer):
    """Whether a header of this folder could mean that name at all."""
    if path.startswith("tests/") or definer.startswith("tests/"):
        return path.startswith("tests/") and os.path.dirname(path) == os.path.dirname(definer)
    return check_includes.may_include(check_includes.folder_of(path), definer)


def check_ours(headers, defined, path):
    code = headers.code(path)
    closure = headers.closure(path)
    known = set()
    for header in closure:
        known |= names_of(DECLARED, headers.code(header))
    problems = []
    for found in USED.finditer(code):
        name = found.group(1)
        definers = defined.get(name, set())
        if name not in known and not definers & closure and any(may_know(path, definer) for definer in definers):
            known.add(name)  # once is enough
            line = code.count("\n", 0, found.start()) + 1
            problems.append(f"{path}:{line}: {name} is named, but {' or '.join(sorted(definers))} is not included")
    return problems


def check_header(headers, path):
    given = headers.foreign(path)
    code = headers.code(path)
    problems = []
    for pattern, _, wanted in RULES:
        found = pattern.search(code)
        if found and not any(wanted.fullmatch(name) for name in given):
            line = code.count("\n", 0, found.start()) + 1
            problems.append(f"{path}:{line}: {found.group(0).strip()} is named, but nothing that gives it is included ({wanted.pattern})")
    return problems


def check(root):
    names = check_kit.files_of(root, lambda path: path.endswith(".hpp") and not path.startswith("tools/"))
    headers = Headers(root)
    defined = {}
    for path in names:
        for name in names_of(DEFINED, headers.code(path)):
            defined.setdefault(name, set()).add(path)
    return names, [problem for path in names for problem in check_header(headers, path) + check_ours(headers, defined, path)]


def self_test():
    samples = {
        "core/a.hpp": ("#include <string>\nstd::string A();\n", 0),
        "core/b.hpp": ("#include <vector>\nstd::string A(std::vector<int>);\n", 1),
        "core/c.hpp": ('#include "core/a.hpp"\nstd::string B();\n', 0),
        "core/d.hpp": ('#include "core/c.hpp"\nstd::optional<std::string> B();\n', 1),
        "core/e.hpp": ("// std::string\ninline const char* kText = \"std::vector\";\n", 0),
        "core/f.hpp": ("#include <boost/asio/post.hpp>\nstd::function<void()> F(boost::asio::io_context&);\n", 1),
        "core/g.hpp": ("std::function<void()> F(boost::asio::io_context&);\n", 2),
        "core/h.hpp": ("#include <cstring>\ninline void F(char* to) { std::memcpy(to, to, 0); }\n", 0),
        "core/i.hpp": ("#include <string>\ninline void F(char* to) { std::memcpy(to, to, 0); }\n", 1),
        "core/j.hpp": ('#include "core/k.hpp"\nstd::string A();\n', 0),
        "core/k.hpp": ('#include "core/j.hpp"\n#include <string>\n', 0),
        "core/l.hpp": ("struct Shape {\n    int sides;\n};\nusing Shapes = Shape*;\ninline constexpr int kSides = 3;\n", 0),
        "core/m.hpp": ('#include "core/l.hpp"\nShapes M(Shape& shape, int sides = kSides);\n', 0),
        "core/n.hpp": ("struct Shape;\nint N(Shape& shape);\n", 0),
        "core/o.hpp": ("int O(Shape& shape);\ninline int P(Shapes) { return kSides; }\n", 3),
        "core/p.hpp": ("template <typename Shape>\nint P(Shape& shape, Other::Form form);\nint Shapes();\n", 0),
    }
    return check_kit.self_test("check_names", "headers", samples, lambda root: check(root)[1])


if __name__ == "__main__":
    sys.exit(check_kit.main(__doc__, "names", "headers", self_test, check))
