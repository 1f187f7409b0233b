"""`bgp-reflector completion`: what makes a shell complete this program's arguments."""

import argparse
from importlib.resources import files
from typing import Final

_FILES: Final = {
    "bash": "bgp-reflector.bash",
    "zsh": "_bgp-reflector",
    "fish": "bgp-reflector.fish",
}

_EPILOG = """\
bash, in ~/.bashrc:   source <(bgp-reflector completion bash)
zsh, in ~/.zshrc:     source <(bgp-reflector completion zsh)    (after compinit)
fish, once:           bgp-reflector completion fish > ~/.config/fish/completions/bgp-reflector.fish"""


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Declare the command."""
    parser = subparsers.add_parser(
        "completion",
        help="print what makes a shell complete the arguments",
        description="Print what makes a shell complete this program's arguments.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "shell", metavar="|".join(_FILES), choices=list(_FILES), help="for which shell"
    )
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Print it.

    Returns:
        0.
    """
    text = files("reflector.cli").joinpath("completions", _FILES[arguments.shell]).read_text()
    print(text, end="")
    return 0
