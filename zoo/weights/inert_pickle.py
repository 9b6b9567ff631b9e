"""A reader of pickles that calls nothing: every class and function that a pickle names becomes an inert stand-in.

Python's unpickler imports what a file names and calls it with arguments of the file's choice, so that a checkpoint from a
stranger is a program. This reader walks the same opcodes (``pickletools``) and builds plain values alone. What it makes of
a call it looks up by the function's name in a table that its caller gives; everything else is noted as a `StandIn`.
"""

import pickletools
from collections.abc import Callable, Mapping
from mmap import mmap
from typing import IO, Any

# Legitimate pickles run to some ten thousand opcodes; each may cost up to about 200 bytes of memory.
MOST_OPCODES = 4_000_000
# Names that nothing but an attack has in a checkpoint. They are as inert as all others: the list only tells the user.
COMMAND_MODULES = {
    "commands",
    "ctypes",
    "importlib",
    "nt",
    "os",
    "posix",
    "pty",
    "runpy",
    "shutil",
    "socket",
    "subprocess",
    "sys",
}
COMMANDS = {
    f"{module}.{name}"
    for module in ("builtins", "__builtin__")
    for name in ("__import__", "breakpoint", "compile", "eval", "exec", "execfile", "open")
} | {"io.open"}


class CommandError(ValueError):
    """A pickle names a function that runs commands or touches files; ``str()`` is its name."""


class Global:
    """A class or function that a pickle names, as ``module.name`` in `name`."""

    __slots__ = ("name",)

    def __init__(self, name: str):
        self.name = name


class StandIn(dict):
    """An object of a class that was not looked up: its class's name, the items set on it, and its pickled state."""

    __slots__ = ("name", "state")
    # An object may be a key; equality goes by identity then.
    __hash__ = object.__hash__  # pyright: ignore[reportAssignmentType]
    __eq__ = object.__eq__

    def __init__(self, name: str):
        super().__init__()
        self.name = name
        self.state = None


def load(file: bytes | IO[bytes] | mmap, calls: Mapping[str, Callable[..., Any]], persistent: Callable[[Any], Any]) -> Any:
    """Read one pickle.

    Memory stays within a small multiple of the file's size, and below about 1 GiB.

    Arguments:
        file: Bytes, or a binary file or memory map, which is left behind the pickle.
        calls: Functions by ``module.name``. One is called in place of the pickle's function with the pickle's arguments,
            whatever they are; it has to check them.
        persistent: Called with the persistent ids of the pickle.

    Returns:
        Plain values (None, numbers, text, bytes, lists, tuples, sets and dicts), `Global`, `StandIn`, and what `calls` and
        `persistent` returned. Keys that are neither text, numbers nor stand-ins are replaced by new stand-ins.

    Raises:
        CommandError: The pickle names a function that runs commands.
        Exception: Of any other type where the pickle is damaged.
    """
    stack, marked, memo = [], [], {}

    def items_since_mark():
        nonlocal stack
        items, stack = stack, marked.pop()
        return items

    def call(function, arguments):
        if not isinstance(function, Global) or not isinstance(arguments, tuple):
            raise ValueError("calls what is no function")
        rebuild = calls.get(function.name)
        return StandIn(function.name) if rebuild is None else rebuild(*arguments)

    for count, (opcode, argument, _) in enumerate(pickletools.genops(file)):  # pyright: ignore[reportArgumentType]
        if count > MOST_OPCODES:
            raise ValueError(f"over {MOST_OPCODES} opcodes")
        match opcode.name:
            case "STOP":
                return stack.pop()
            case "PROTO" | "FRAME":
                pass
            case "MARK":
                marked.append(stack)
                stack = []
            case "POP":
                if stack:
                    stack.pop()
                else:
                    items_since_mark()
            case "POP_MARK":
                items_since_mark()
            case "DUP":
                stack.append(stack[-1])
            case "PUT" | "BINPUT" | "LONG_BINPUT":
                memo[argument] = stack[-1]
            case "MEMOIZE":
                memo[len(memo)] = stack[-1]
            case "GET" | "BINGET" | "LONG_BINGET":
                stack.append(memo[argument])
            case "NONE":
                stack.append(None)
            case "NEWTRUE":
                stack.append(True)
            case "NEWFALSE":
                stack.append(False)
            case "EMPTY_LIST":
                stack.append([])
            case "EMPTY_TUPLE":
                stack.append(())
            case "EMPTY_DICT":
                stack.append({})
            case "EMPTY_SET":
                stack.append(set())
            case "TUPLE1" | "TUPLE2" | "TUPLE3":
                size = int(opcode.name[-1])
                stack[-size:] = [tuple(_last(stack, size))]
            case "LIST":
                items = items_since_mark()
                stack.append(items)
            case "TUPLE":
                items = items_since_mark()
                stack.append(tuple(items))
            case "FROZENSET":
                items = items_since_mark()
                stack.append(set(map(as_key, items)))
            case "DICT":
                items = items_since_mark()
                stack.append(_set_items({}, items))
            case "APPEND":
                _append(stack[-2], [stack.pop()])
            case "APPENDS":
                items = items_since_mark()
                _append(stack[-1], items)
            case "SETITEM":
                items = _last(stack, 2)
                del stack[-2:]
                _set_items(stack[-1], items)
            case "SETITEMS":
                items = items_since_mark()
                _set_items(stack[-1], items)
            case "ADDITEMS":
                items = items_since_mark()
                if isinstance(stack[-1], set):
                    stack[-1].update(map(as_key, items))
            case "GLOBAL":
                stack.append(_global(*str(argument).split(" ", 1)))
            case "STACK_GLOBAL":
                stack[-2:] = [_global(*_last(stack, 2))]
            case "INST":
                items = items_since_mark()
                stack.append(call(_global(*str(argument).split(" ", 1)), tuple(items)))
            case "OBJ":
                function, *items = items_since_mark()
                stack.append(call(function, tuple(items)))
            case "REDUCE" | "NEWOBJ":
                stack[-2:] = [call(*_last(stack, 2))]
            case "NEWOBJ_EX":
                stack[-3:] = [call(*_last(stack, 3)[:2])]
            case "BUILD":
                state = stack.pop()
                if isinstance(stack[-1], StandIn):
                    stack[-1].state = state
            case "PERSID":
                stack.append(persistent(argument))
            case "BINPERSID":
                stack.append(persistent(stack.pop()))
            case "EXT1" | "EXT2" | "EXT4" | "NEXT_BUFFER" | "READONLY_BUFFER":
                raise ValueError(f"opcode {opcode.name}, which needs what is not in the file")
            case _:
                stack.append(argument)  # a number, text or bytes


def as_key(value: Any) -> Any:
    """The value itself where it may be a key; otherwise a new stand-in."""
    # The hash of a tuple of tuples of tuples would take as long as the file likes.
    return value if value is None or isinstance(value, (str, bytes, int, float, Global, StandIn)) else StandIn("")


def _last(stack: list[Any], count: int) -> list[Any]:
    if len(stack) < count:
        raise ValueError("takes more than it holds")
    return stack[-count:]


def _global(module: Any, name: Any) -> Global:
    if not isinstance(module, str) or not isinstance(name, str):
        raise ValueError("a global without a name")
    full = f"{module}.{name}"
    if module.partition(".")[0] in COMMAND_MODULES or full in COMMANDS:
        raise CommandError(full)
    return Global(full)


def _set_items(target: Any, items: list[Any]) -> dict[Any, Any]:
    if len(items) % 2 or not isinstance(target, dict):
        raise ValueError("sets items of what is no dict")
    target.update(zip(map(as_key, items[::2]), items[1::2], strict=True))
    return target


def _append(target: Any, items: list[Any]) -> None:
    if isinstance(target, list):
        target.extend(items)  # a list of another class is a stand-in, whose elements nobody reads
