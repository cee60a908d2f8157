"""One class for the world's functions, one for each interface that is exported."""

import wit_world
from componentize_py_types import Err
from every_type import Counter
from wit_world import exports
from wit_world.exports.every_type import Color, Point


class WitWorld(wit_world.WitWorld):
    def add(self, a, b):
        return a + b


class EveryType(exports.EveryType):
    def ints(self, *all):
        return all

    def floats(self, a, b):
        return a, b

    def truth(self, v):
        return not v

    def letter(self, v):
        return v

    def text(self, v):
        return v

    def bytes(self, v):
        return v

    def numbers(self, v):
        return v

    def texts(self, v):
        return v

    def pair(self, v):
        return v

    def place(self, v):
        return Point(v.y, v.x, v.label)

    def way(self, v):
        return v[::-1]

    def outline(self, v):
        return v

    def next_color(self, v):
        return Color((v.value + 1) % len(Color))

    def rights(self, v):
        return v

    def maybe(self, v):
        return v

    def perhaps(self, v):
        return v

    def checked(self, v):
        # What is raised becomes the error.
        if v < 0:
            raise Err(f"{v} is negative")
        return v

    def outcomes(self, v):
        return v

    def peek(self, v):
        return v.n

    def joined(self, a, b):
        return Counter(a.n + b.n)

    def several(self, starts):
        return [Counter(start) for start in starts]

    def nothing(self):
        pass
