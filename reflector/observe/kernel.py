"""What the kernel says of connections that never reach us: TCP MD5 signatures that don't match."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

_NETSTAT: Final = Path("/proc/net/netstat")


@dataclass(frozen=True, slots=True)
class Md5Drops:
    """Segments that the kernel dropped over TCP MD5 signatures (RFC 2385).

    Args:
        unsigned: From where a password is set here, without a signature.
        unexpected: Signed, from where no password is set here.
        wrong: Signed with another password.
    """

    unsigned: int = 0
    unexpected: int = 0
    wrong: int = 0

    def __bool__(self) -> bool:
        return bool(self.unsigned or self.unexpected or self.wrong)

    def since(self, before: "Md5Drops") -> "Md5Drops":
        """How many more than before."""
        return Md5Drops(
            self.unsigned - before.unsigned,
            self.unexpected - before.unexpected,
            self.wrong - before.wrong,
        )


def read_md5_drops(path: Path = _NETSTAT) -> Md5Drops:
    """Read the kernel's counters of our network namespace; zeros where it has none."""
    try:
        lines = path.read_text().splitlines()
    except OSError:
        return Md5Drops()
    for names, values in zip(lines[::2], lines[1::2], strict=False):
        if names.startswith("TcpExt:"):
            count = dict(zip(names.split(), values.split(), strict=False))
            return Md5Drops(
                *(
                    int(count.get(f"TCPMD5{kind}", 0))
                    for kind in ("NotFound", "Unexpected", "Failure")
                )
            )
    return Md5Drops()
