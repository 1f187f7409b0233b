"""What `bgp-reflector show messages` prints: what was said on connections, message by message."""

from datetime import datetime
from typing import Any

from reflector.cli.table import Paint, coloured, printable

View = dict[str, Any]

_ARROWS = {"received": "<-", "sent": "->"}
_INDENT = " " * 21


def print_messages(view: View) -> None:
    """Print every message.

    Args:
        view: /api/v1/neighbors/ADDR/messages.
    """
    for index, connection in enumerate(view["connections"]):
        if index:
            print()
        print(coloured(printable(_title(connection)), Paint.HEADING))
        for message in connection["messages"]:
            _print_message(message)
        if connection["reason"]:
            print(f"  the session ended: {printable(connection['reason'])}")
        else:
            print("  UPDATEs to it are kept from now on, for 10 minutes")


def _title(connection: View) -> str:
    names = [connection[key] for key in ("host_name", "description") if connection[key]]
    named = f" ({', '.join(names)})" if names else ""
    dialled = "we dialled" if connection["direction"] == "outbound" else "it dialled"
    address, port = connection["address"], connection["remote_port"]
    return f"{address}{named}, port {port}, {dialled}: {connection['state']}"


def _print_message(message: View) -> None:
    if "missing_before" in message:
        print(f"{_INDENT}({message['missing_before']} octets before this are not kept)")
    at = datetime.fromtimestamp(message["at"]).astimezone().strftime("%H:%M:%S.%f")[:-3]
    words = f"{message['type']}{': ' if message['says'] else ''}{message['says']}"
    if "times" in message:
        last = datetime.fromtimestamp(message["last_at"]).astimezone().strftime("%H:%M:%S")
        words += f" ({message['times']} in a row, the last at {last})"
    print(f"  {at}  {_ARROWS[message['direction']]}  {printable(words)}")
    details = message["details"]
    for capability in details.get("capabilities", ()):
        says = capability["says"] or f"0x{capability['value_hex']}"
        print(printable(f"{_INDENT}{capability['name']} ({capability['code']}): {says}"))
    if details.get("means"):
        print(printable(f"{_INDENT}{details['means']}"))
