"""yapf, which mmengine imports, without its cache: a cache that was cut once ends every later import of mmengine."""

import sys
from functools import partial
from importlib.abc import MetaPathFinder
from importlib.machinery import PathFinder, SourceFileLoader
from types import ModuleType

DRIVER = "yapf_third_party._ylib2to3.pgen2.driver"


class _Finder(MetaPathFinder):
    """Finds the one module that reads and writes the cache."""

    def find_spec(self, name, path=None, target=None):
        spec = PathFinder.find_spec(name, path) if name == DRIVER else None
        if spec is not None and spec.origin is not None:
            spec.loader = _Loader(name, spec.origin)
        return spec


class _Loader(SourceFileLoader):
    def exec_module(self, module: ModuleType) -> None:
        super().exec_module(module)
        # Made anew, a grammar takes 10 ms. It is renamed into the cache before all of it is written.
        vars(module)["load_grammar"] = partial(module.load_grammar, save=False, force=True)


def leave_cache_alone() -> None:
    """From now on, an import of yapf in this process neither reads nor writes the grammars in the user's cache."""
    if not any(isinstance(finder, _Finder) for finder in sys.meta_path):
        sys.meta_path.insert(0, _Finder())
