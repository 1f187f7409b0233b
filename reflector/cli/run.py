"""`bgp-reflector run`: start the route reflector."""

import argparse
import signal
import sys
from dataclasses import replace
from ipaddress import AddressValueError, IPv4Address, ip_address
from pathlib import Path
from typing import TYPE_CHECKING

from reflector.cli.arguments import number, tcp_port

if TYPE_CHECKING:
    from reflector.config.model import Config

_EPILOG = """\
Options win over the configuration file. Without --config or --frr the file is looked for in
$BGP_REFLECTOR_CONFIG and the usual places (docs/configuration.md); without any, the defaults hold:
AS 64512, port 179 on every address, every peer accepted, 1.0.0.2/32 announced.

Signals: SIGHUP reads the configuration again, SIGTERM and SIGINT end with a word to every peer."""


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Declare the command."""
    parser = subparsers.add_parser(
        "run",
        help="start the route reflector",
        description="Start the route reflector in the foreground.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    source = parser.add_mutually_exclusive_group()
    source.add_argument("--config", metavar="FILE", type=Path, help="configuration file (YAML)")
    source.add_argument("--frr", metavar="FILE", type=Path, help="read FRR's bgpd.conf instead")
    parser.add_argument(
        "--frr-if-present",
        metavar="FILE",
        type=Path,
        help="read FRR's bgpd.conf if the file exists (for the compose service)",
    )
    parser.add_argument(
        "--listen",
        metavar="ADDR",
        type=_address,
        action="append",
        help="address to listen on, repeatable (default: every IPv4 and IPv6 address)",
    )
    parser.add_argument("--port", metavar="N", type=tcp_port, help="TCP port (default: 179)")
    parser.add_argument("--asn", metavar="N", type=_asn, help="AS number (default: 64512)")
    parser.add_argument(
        "--router-id", metavar="ID", type=_router_id, help="BGP identifier, as an IPv4 address"
    )
    parser.add_argument(
        "--cluster-id", metavar="ID", type=_router_id, help="cluster id (default: the router id)"
    )
    parser.add_argument(
        "--log-format", choices=("auto", "console", "json"), help="default: by the terminal"
    )
    parser.add_argument("--log-level", choices=("debug", "info", "warning", "error"))
    parser.add_argument("--socket", metavar="PATH", type=Path, help="control socket")
    parser.add_argument(
        "--http",
        metavar="ADDR:PORT|off",
        type=_http,
        help="the page, the API and the metrics (default: 127.0.0.1:8179)",
    )
    parser.add_argument(
        "--http-controls",
        metavar="ADDR",
        type=_peers,
        action="append",
        help="address or network from where the page may disconnect clusters and drop sessions, "
        "repeatable (default: none)",
    )
    parser.add_argument(
        "--whoami",
        metavar="ADDR:PORT|off",
        type=_http,
        help="where `curl` is told who asks and by which node, as 1.0.0.2:80 (default: off)",
    )
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Start it, and stay until a signal.

    Returns:
        0 after a signal, 1 if it can't start.
    """
    # Until the reflector can act upon it, it would end the process: whoever writes a new
    # configuration does not know whether it is just being restarted. The loop's handler takes it.
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGHUP})
    from reflector.app import StartError, serve  # noqa: PLC0415 - heavy, and only `run` needs it
    from reflector.config.errors import ConfigError  # noqa: PLC0415

    def load() -> "tuple[Config, list[str]]":
        config, notes = _load(arguments)
        return _override(config, arguments), notes

    try:
        return serve(load)
    except ConfigError as error:
        print(error, file=sys.stderr)
    except StartError as error:
        print(f"bgp-reflector: {error}", file=sys.stderr)
    return 1


def _load(arguments: argparse.Namespace) -> "tuple[Config, list[str]]":
    """Read the configuration from where the options say: the model and notes for the log."""
    from reflector.config.locate import is_there, load_config  # noqa: PLC0415

    frr = arguments.frr
    if frr is None and arguments.config is None and arguments.frr_if_present is not None:
        frr = arguments.frr_if_present if is_there(arguments.frr_if_present) else None
    if frr is not None:
        from reflector.config.frr import read_frr  # noqa: PLC0415

        return read_frr(frr)
    return load_config(arguments.config), []


def _override(config: "Config", arguments: argparse.Namespace) -> "Config":
    """Put the options in the place of what the file says."""
    given = {
        name: value
        for name in ("port", "asn", "router_id", "cluster_id", "http", "whoami")
        if (value := getattr(arguments, name)) is not None
    }
    if arguments.listen:
        given["listen"] = tuple(dict.fromkeys(arguments.listen))
    if arguments.http_controls:
        given["http_controls"] = tuple(dict.fromkeys(arguments.http_controls))
    if arguments.socket is not None:
        given["control_socket"] = arguments.socket
    log = config.log
    if arguments.log_format is not None:
        log = replace(log, format=arguments.log_format)
    if arguments.log_level is not None:
        log = replace(log, level=arguments.log_level)
    return replace(config, log=log, **given)


def _address(text: str) -> object:
    try:
        return ip_address(text.strip("[]"))
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"{text!r} is not an IP address (names are not looked up)"
        ) from None


def _http(text: str) -> object:
    from reflector.config.kinds import read_http  # noqa: PLC0415 - not for every command's help

    try:
        return read_http(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _peers(text: str) -> object:
    from reflector.config.policy_kinds import PEERS  # noqa: PLC0415 - not for every command's help

    try:
        return PEERS.read(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _asn(text: str) -> int:
    from reflector.config.kinds import ASN  # noqa: PLC0415 - not for every command's help

    number(text, 1, 2**32 - 2, "an AS number")
    try:
        return int(str(ASN.read(text)))
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _router_id(text: str) -> IPv4Address:
    try:
        router_id = IPv4Address(text)
    except AddressValueError:
        router_id = IPv4Address(0)
    if not int(router_id):
        raise argparse.ArgumentTypeError(f"{text!r} is not of the form 10.0.0.1")
    return router_id
