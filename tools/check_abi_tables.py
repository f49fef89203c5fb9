#!/usr/bin/env python3
"""Proves that the tables of the plugin ABI only grow: every struct of a golden folder is a prefix of today's struct of that name,
member for member, order and types; every constant and interface id has the value that it had.

    tools/check_abi_tables.py              today's headers against every folder of abi/golden
    tools/check_abi_tables.py --self-test  checks this script on headers with known mistakes
"""
import argparse
import os
import re
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
STRUCT = re.compile(r"typedef\s+struct\s+(\w+)\s*\{(.*?)\}\s*(\w+)\s*;", re.S)
DEFINE = re.compile(r"^[ \t]*#[ \t]*define[ \t]+(AIM_\w+)[ \t]+(.*)$", re.M)
# What a release changes on purpose.
RELEASED = {"AIM_ABI_MINOR"}


def plain(text):
    """Without comments and line continuations."""
    text = re.sub(r"/\*.*?\*/", " ", text, flags=re.S)
    text = re.sub(r"//[^\n]*", " ", text)
    return text.replace("\\\n", " ")


def members(body):
    return [" ".join(member.split()) for member in body.split(";") if member.strip()]


def read(folder):
    """(struct name -> members, constant -> value) of all headers below a folder, drafts left out."""
    structs, constants = {}, {}
    for path, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if name != "draft"]
        for name in names:
            if not name.endswith(".h"):
                continue
            with open(os.path.join(path, name), encoding="utf-8") as file:
                text = plain(file.read())
            for struct, body, alias in STRUCT.findall(text):
                if struct != alias:
                    raise ValueError(f"struct {struct} has the other name {alias}")
                structs[struct] = members(body)
            for constant, value in DEFINE.findall(text):
                if "(" not in constant:
                    constants[constant] = " ".join(value.split())
    return structs, constants


def compare(old, new):
    """Sentences, one for each promise that is broken."""
    broken = []
    for struct, before in old[0].items():
        now = new[0].get(struct)
        if now is None:
            broken.append(f"struct {struct} is gone")
            continue
        for i, member in enumerate(before):
            if i >= len(now):
                broken.append(f"{struct}: member {i} ({member}) is gone")
            elif now[i] != member:
                broken.append(f"{struct}: member {i} was '{member}', now it is '{now[i]}'")
    for constant, value in old[1].items():
        if constant in RELEASED or constant.endswith("_H"):
            continue
        now = new[1].get(constant)
        if now != value:
            broken.append(f"{constant} was {value}, now it is {now}")
    return broken


def self_test():
    header = "typedef struct aim_a { uint32_t struct_size; /* x */ int32_t (*f)(void* c,\n int32_t i); } aim_a;\n#define AIM_X 1\n"

    def of(text):
        return (
            {s: members(b) for s, b, _ in STRUCT.findall(plain(text))},
            {c: " ".join(v.split()) for c, v in DEFINE.findall(plain(text))},
        )

    cases = [
        (header, 0),
        (header.replace("} aim_a", "uint64_t more; } aim_a"), 0),
        (header + "#define AIM_Y 2\n", 0),
        (header.replace("/* x */", "/* another remark */"), 0),
        (header.replace("uint32_t struct_size", "uint64_t struct_size"), 1),
        (header.replace("uint32_t struct_size;", "uint32_t struct_size; uint32_t between;"), 1),
        (header.replace("int32_t i", "int64_t i"), 1),
        (header.replace("int32_t (*f)(void* c,\n int32_t i);", ""), 1),
        (header.replace("AIM_X 1", "AIM_X 2"), 1),
        (header.replace("#define AIM_X 1", ""), 1),
        (header.replace("aim_a", "aim_b"), 1),
    ]
    for i, (text, expected) in enumerate(cases):
        found = compare(of(header), of(text))
        if len(found) != expected:
            print(f"self-test {i}: expected {expected} broken promises, found {found}")
            return 1
    print(f"{len(cases)} self-tests passed")
    return 0


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--self-test", action="store_true")
    if parser.parse_args().self_test:
        return self_test()
    today = read(os.path.join(ROOT, "abi/include/aim/abi"))
    golden = os.path.join(ROOT, "abi/golden")
    versions = sorted(name for name in os.listdir(golden) if re.fullmatch(r"v\d+_\d+", name))
    if not versions:
        print("abi/golden has no version", file=sys.stderr)
        return 1
    failed = False
    for version in versions:
        old = read(os.path.join(golden, version))
        if len(old[0]) < 10:
            print(f"abi/golden/{version}: only {len(old[0])} structs were found in it", file=sys.stderr)
            failed = True
        for sentence in compare(old, today):
            print(f"abi/golden/{version}: {sentence}", file=sys.stderr)
            failed = True
        print(f"{version}: {len(old[0])} structs and {len(old[1])} constants compared")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
