#!/usr/bin/env python3
"""Looks whether linked programs and plugins have what makes a memory fault hard to exploit.

    tools/check_hardening.py [--fortified] FILE...   each of them; --fortified: built with -O2, so libc's checked calls as well
    tools/check_hardening.py --self-test             checks this script on answers of readelf with known mistakes

Asked of each: position independent, no writable and executable memory, relocations read-only and bound at start, no search path of its
own, no relocation of code; and, over all of them together, stack protectors (and libc's checked calls), because a small program may
have no array to protect. Sources: ld.so(8), gcc's -fstack-protector-strong, feature_test_macros(7).
"""
import argparse
import re
import subprocess
import sys


def problems_of(text):
    """What is wrong with one file, from `readelf -hldW`."""
    dynamic = {match[1]: match[2] for match in re.finditer(r"^ *0x[0-9a-f]+ \((\w+)\)\s*(.*)$", text, re.M)}
    flags = dynamic.get("FLAGS", "") + " " + dynamic.get("FLAGS_1", "")
    stack = re.search(r"^ *GNU_STACK\s.*?\s([RWE ]{3})\s*\S+$", text, re.M)
    if not re.search(r"Type:\s+DYN", text):
        yield "is not position independent"
    if stack is None or "E" in stack[1]:
        yield "may have an executable stack"
    for match in re.finditer(r"^ *LOAD\s.*?\s([RWE ]{3})\s+0x[0-9a-f]+$", text, re.M):
        if "W" in match[1] and "E" in match[1]:
            yield "has memory that is writable and executable"
    if "GNU_RELRO" not in text:
        yield "has relocations that stay writable (-z relro)"
    if "BIND_NOW" not in dynamic and not re.search(r"\b(BIND_NOW|NOW)\b", flags):
        yield "binds functions late, through a writable table (-z now)"
    for tag in ("RPATH", "RUNPATH"):
        if tag in dynamic:
            yield f"looks for libraries in folders of its own ({tag} {dynamic[tag]})"
    if "TEXTREL" in dynamic or re.search(r"\bTEXTREL\b", flags):
        yield "relocates its code"


def guards_of(symbols):
    """Which guards the imports show."""
    return {
        "stack protectors (-fstack-protector-strong)": bool(re.search(r"\b__stack_chk_fail\b", symbols)),
        "libc's checked calls (_FORTIFY_SOURCE)": bool(re.search(r"\b__\w+_chk\b", re.sub(r"__stack_chk_\w+", "", symbols))),
    }


def readelf(*arguments):
    return subprocess.run(["readelf", *arguments], check=True, stdout=subprocess.PIPE, text=True, env={"LC_ALL": "C", "PATH": "/usr/bin:/bin"}).stdout


def check(files, fortified):
    bad = 0
    found = {}
    for name in files:
        for problem in problems_of(readelf("-hldW", name)):
            bad += 1
            print(f"{name}: {problem}")
        for guard, there in guards_of(readelf("--dyn-syms", "-W", name)).items():
            found[guard] = found.get(guard, False) or there
    for guard, there in found.items():
        if not there and (fortified or "stack" in guard):
            bad += 1
            print(f"none of {len(files)} files has {guard}")
    print(f"hardening: {len(files)} files, {bad} problems")
    return bad


GOOD = """
  Type:                              DYN (Position-Independent Executable file)
  LOAD           0x000000 0x0000000000000000 0x0000000000000000 0x012345 0x012345 R   0x1000
  LOAD           0x001000 0x0000000000002000 0x0000000000002000 0x012345 0x012345 R E 0x1000
  LOAD           0x002000 0x0000000000003000 0x0000000000003000 0x012345 0x012345 RW  0x1000
  GNU_RELRO      0x1d6c60 0x00000000001d8c60 0x00000000001d8c60 0x0056e0 0x0063a0 R   0x1
  GNU_STACK      0x000000 0x0000000000000000 0x0000000000000000 0x000000 0x000000 RW  0
 0x000000000000001e (FLAGS)              BIND_NOW
 0x000000006ffffffb (FLAGS_1)            Flags: NOW PIE
"""


def self_test():
    assert list(problems_of(GOOD)) == [], list(problems_of(GOOD))
    mistakes = [
        ("DYN (Position-Independent Executable file)", "EXEC (Executable file)", "position independent"),
        ("RW  0\n", "RWE 0\n", "executable stack"),
        ("R E 0x1000", "RWE 0x1000", "writable and executable"),
        ("GNU_RELRO", "GNU_OTHER", "relro"),
        ("BIND_NOW\n 0x000000006ffffffb (FLAGS_1)            Flags: NOW PIE", "\n 0x000000006ffffffb (FLAGS_1)            Flags: PIE", "-z now"),
        (" 0x000000000000001e (FLAGS)", " 0x000000000000001d (RUNPATH)            Library runpath: [/tmp]\n 0x000000000000001e (FLAGS)", "RUNPATH"),
        ("BIND_NOW\n", "BIND_NOW TEXTREL\n", "relocates its code"),
    ]
    for good, bad, said in mistakes:
        assert good in GOOD, good
        found = list(problems_of(GOOD.replace(good, bad)))
        assert len(found) == 1 and said in found[0], (said, found)
    assert list(guards_of("FUNC GLOBAL DEFAULT UND __stack_chk_fail@GLIBC_2.4").values()) == [True, False]
    assert list(guards_of("FUNC GLOBAL DEFAULT UND __memcpy_chk@GLIBC_2.3.4").values()) == [False, True]
    print(f"self-test: {len(mistakes) + 3} cases")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--fortified", action="store_true", help="expect libc's checked calls")
    parser.add_argument("--self-test", action="store_true", help="check this script")
    parser.add_argument("files", nargs="*", metavar="FILE")
    arguments = parser.parse_args()
    if arguments.self_test:
        self_test()
        return 0
    if not arguments.files:
        parser.error("at least one FILE is needed")
    return 1 if check(arguments.files, arguments.fortified) else 0


if __name__ == "__main__":
    sys.exit(main())
