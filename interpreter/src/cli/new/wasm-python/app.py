import wit_world


class WitWorld(wit_world.WitWorld):
    def greet(self, name):
        return f"hello, {name}!"
