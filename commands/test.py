"""Check that methods do what every method has to do."""

from irsam_zoo import PROGRAM
from irsam_zoo.commands.parser import DEBUG, PLUGIN, load_plugins
from irsam_zoo.zoo.errors import UsageError
from irsam_zoo.zoo.terminal import say


def add_parser(commands):
    """Add the command."""
    parser = commands.add_parser("test", parents=[PLUGIN, DEBUG])
    parser.add_argument(
        "--methods", nargs="+", metavar="M", help="names, or configuration files (default: those of the plug-ins)"
    )
    parser.set_defaults(command=test)


def test(args):
    from irsam_zoo.zoo import list_methods
    from irsam_zoo.zoo.conformance import failures
    from irsam_zoo.zoo.specs import read_method

    if not (args.plugin or args.methods):
        raise UsageError(f"nothing to test: name files by --plugin, or --methods; see {PROGRAM} test --help")
    before = list_methods()
    load_plugins(args.plugin)
    methods = args.methods or sorted(set(list_methods()) - set(before))
    if not methods:
        raise UsageError(f"{', '.join(args.plugin)} registers no method; see METHODS.register_module in docs/extending.md")
    failed = 0
    for spec in [read_method(method) for method in methods]:
        for name, reason in failures(spec):
            say(f"{spec.name}: {name}: {'ok' if reason is None else f'failed: {reason}'}")
            failed += reason is not None
    return 1 if failed else 0
