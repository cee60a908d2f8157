#!/usr/bin/env python3
"""Gives components the comments of their WIT: `docs.py WIT.wasm COMPONENT...`.

`wasm-tools component wit --wasm` makes a WIT package, which has them in the section `package-docs`. The tools that
make components leave it out, so it is copied from there to the end of each component that has none.
"""

import sys

SECTION = b"package-docs"


def number(data, at):
    """The LEB128 number at a place, and where it ends."""
    value = shift = 0
    while True:
        byte = data[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return value, at


def section(data):
    """The section with the comments, with its header; none is empty."""
    start = 8
    while start < len(data):
        size, body = number(data, start + 1)
        if data[start] == 0:
            length, name = number(data, body)
            if data[name : name + length] == SECTION:
                return data[start : body + size]
        start = body + size
    return b""


def main():
    wit, *components = sys.argv[1:]
    with open(wit, "rb") as file:
        docs = section(file.read())
    if not docs:
        sys.exit(f"{wit} has no comments")
    for component in components:
        with open(component, "r+b") as file:
            if not section(file.read()):
                file.write(docs)


main()
