#!/usr/bin/env python3
"""Gives components the comments of their WIT: `docs.py WIT.wasm COMPONENT...`.

`wasm-tools component wit --wasm` makes a WIT package, which has them in the section `package-docs`. The tools that
make components leave it out, so it is copied from there to the end of each component that has none, as
`caraway-package-docs`: other tools refuse a component whose `package-docs` is about a whole package.
"""

import sys

def number(data, at):
    """The LEB128 number at a place, and where it ends."""
    value = shift = 0
    while True:
        byte = data[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return value, at


def leb128(value):
    """A number as LEB128."""
    encoded = bytearray()
    while value > 0x7F:
        encoded.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes(encoded) + bytes([value])


def section(data, wanted):
    """What is in the custom section of a name; nothing if there is none."""
    start = 8
    while start < len(data):
        size, body = number(data, start + 1)
        if data[start] == 0:
            length, name = number(data, body)
            if data[name : name + length] == wanted:
                return data[name + length : body + size]
        start = body + size
    return b""


def main():
    wit, *components = sys.argv[1:]
    with open(wit, "rb") as file:
        docs = section(file.read(), b"package-docs")
    if not docs:
        sys.exit(f"{wit} has no comments")
    name = b"caraway-package-docs"
    body = leb128(len(name)) + name + docs
    for component in components:
        with open(component, "r+b") as file:
            if not section(file.read(), name):
                file.write(b"\0" + leb128(len(body)) + body)


main()
