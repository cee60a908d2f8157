"""The resources of the interface of this name."""

from componentize_py_types import Err
from wit_world.exports import every_type


class Counter(every_type.Counter):
    def __init__(self, start):
        self.n = start

    def up(self, by):
        self.n += by
        return self.n

    @classmethod
    def parse(cls, text):
        if not text.isdigit():
            raise Err(f"{text} is no number")
        return cls(int(text))
