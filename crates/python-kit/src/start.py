"""Runs a model from the arguments: its name, its source, then names and sources of modules."""

import importlib.abc
import importlib.util
import sys


class Kit(importlib.abc.MetaPathFinder, importlib.abc.InspectLoader):
    """Finds the modules of the kit among the arguments."""

    def __init__(self, modules):
        self.modules = modules

    def find_spec(self, name, _path, _target=None):
        """Returns where a module comes from, if it is one of the kit."""
        return importlib.util.spec_from_loader(name, self) if name in self.modules else None

    def get_source(self, name):
        """Returns the source of a module."""
        return self.modules[name]


_, name, source, *modules = sys.argv
sys.argv = [name]
sys.meta_path.append(Kit(dict(zip(modules[::2], modules[1::2]))))
exec(compile(source, "model.py", "exec"), {"__name__": "__main__"})
