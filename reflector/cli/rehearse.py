"""`bgp-reflector rehearse`: a whole class of simulated clusters on one machine."""

import argparse
import sys
from typing import Final

from reflector.cli.arguments import address, number, tcp_port

_EPILOG: Final = """\
Each node dials from an address of its own, 127.1.CLUSTER.NODE, speaks as kube-router does and
announces 10.CLUSTER.NODE.0/24. No privileges are needed, but for --netns. What follows -- goes to
the reflector that is started: bgp-reflector rehearse --stay 0 -- --log-level debug.
docs/rehearse.md shows it all.

The class stays until Ctrl-C, or for --stay seconds. Exit codes: 0 all as planned, 1 something is
not (and what), 2 usage, 130 Ctrl-C before everybody was there."""

_BGP_PORT: Final = 179
# Clusters, and nodes of one: both stand in an octet of the addresses.
_MAX_COUNT: Final = 250
_MAX_SECONDS: Final = 1e6


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Declare the command."""
    parser = subparsers.add_parser(
        "rehearse",
        help="play a whole class on this machine",
        description="Play a whole class of simulated kube-router clusters against a reflector.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--clusters", metavar="N", type=_count, default=30, help="how many students (default: 30)"
    )
    parser.add_argument(
        "--nodes", metavar="N", type=_count, default=3, help="nodes of each cluster (default: 3)"
    )
    parser.add_argument(
        "--pace",
        metavar="S",
        type=_seconds,
        default=1.0,
        help="seconds from one student to the next, 0 for all at once (default: 1)",
    )
    parser.add_argument(
        "--mistake",
        metavar="NAME[,NAME]",
        action="append",
        default=[],
        help="plant these mistakes, each in a cluster of its own; `list` says which there are",
    )
    parser.add_argument(
        "--reflector",
        metavar="ADDR[:PORT]",
        type=_address,
        help="play against this one (default: one is started, on a free port of 127.0.0.1)",
    )
    parser.add_argument(
        "--netns",
        action="store_true",
        help="make each node a network namespace with a pod, and let the pods ping (Linux, root)",
    )
    parser.add_argument(
        "--ipv6",
        action="store_true",
        help="give the nodes IPv6 pod subnets besides, and pods of both",
    )
    parser.add_argument("--port", metavar="N", type=tcp_port, help="of the one that is started")
    parser.add_argument(
        "--asn", metavar="N", type=_asn, default=64512, help="AS of the class (default: 64512)"
    )
    parser.add_argument(
        "--password", metavar="TEXT", help="of the sessions (TCP MD5): the reflector must know it"
    )
    parser.add_argument(
        "--kube-router", metavar="VERSION", help="whose ways they have (default: the newest known)"
    )
    parser.add_argument(
        "--graceful-restart", action="store_true", help="as with --bgp-graceful-restart"
    )
    parser.add_argument(
        "--deadline",
        metavar="S",
        type=_seconds,
        default=60.0,
        help="seconds after the last arrival by which all must be as planned (default: 60)",
    )
    parser.add_argument("--seed", metavar="N", type=int, default=1, help="the same class again")
    parser.add_argument(
        "--stay",
        metavar="S",
        type=_seconds,
        help="leave S seconds after all is as planned (default: at Ctrl-C)",
    )
    parser.add_argument("arguments", nargs="*", metavar="-- OPTION", help=argparse.SUPPRESS)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Play the class.

    Returns:
        The exit code, as the epilog says.
    """
    from reflector.cli.rehearse_class import play  # noqa: PLC0415 - heavy, not for --help
    from reflector.sim.class_plan import ClassSettings, plan_class  # noqa: PLC0415 - likewise
    from reflector.sim.errors import SimError  # noqa: PLC0415 - likewise
    from reflector.sim.kube_router import NEWEST  # noqa: PLC0415 - likewise

    mistakes = [name for given in arguments.mistake for name in given.split(",") if name]
    if "list" in mistakes:
        _list_mistakes()
        return 0
    target, netns = arguments.reflector, arguments.netns
    if target is not None and (arguments.port is not None or arguments.arguments):
        print(
            "bgp-reflector rehearse: --port and what follows -- are for a reflector that is started:"
            " leave them out with --reflector",
            file=sys.stderr,
        )
        return 2
    settings = ClassSettings(
        clusters=arguments.clusters,
        nodes=arguments.nodes,
        pace_s=arguments.pace,
        mistakes=mistakes,
        version=arguments.kube_router or NEWEST,
        graceful_restart=arguments.graceful_restart,
        asn=arguments.asn,
        password=arguments.password,
        on_loopback=not netns if target is None else _is_on_this_machine(target[0]),
        ipv6=arguments.ipv6,
        seed=arguments.seed,
    )
    try:
        plan = plan_class(settings)
    except ValueError as error:
        print(f"bgp-reflector rehearse: {error}", file=sys.stderr)
        return 2
    try:
        return play(
            settings,
            plan,
            target,
            port=arguments.port or (_BGP_PORT if netns else 0),
            netns=netns,
            reflector_arguments=arguments.arguments,
            deadline_s=arguments.deadline,
            stay_s=arguments.stay,
        )
    except SimError as error:
        print(f"bgp-reflector rehearse: {error}", file=sys.stderr)
        return 1


def _list_mistakes() -> None:
    from reflector.sim.mistakes import MISTAKES  # noqa: PLC0415 - not for --help

    width = max(map(len, MISTAKES))
    for mistake in MISTAKES.values():
        print(f"{mistake.name:<{width}}  {mistake.done}:\n{'':<{width}}  {mistake.seen}")


def _is_on_this_machine(host: str) -> bool:
    """Whether an address of 127.0.0.0/8 can reach another one."""
    import socket  # noqa: PLC0415 - not for --help

    if ":" in host:
        return False
    with socket.socket() as probe:
        try:
            probe.bind((host, 0))
        except OSError:
            return False
    return True


def _count(text: str) -> int:
    return number(text, 1, _MAX_COUNT, "a number")


def _asn(text: str) -> int:
    return number(text, 1, 2**32 - 3, "an AS number")


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds < _MAX_SECONDS:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds")
    return seconds


def _address(text: str) -> tuple[str, int]:
    host, port = text, str(_BGP_PORT)
    if text.startswith("["):
        host, _, port = text[1:].partition("]")
        port = port.removeprefix(":") or str(_BGP_PORT)
    elif text.count(":") == 1:
        host, _, port = text.partition(":")
    return address(host), tcp_port(port)
