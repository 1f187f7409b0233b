"""Wrong flags as students set them, what the reflector calls them, and what mends them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from tests.kube_router.setting import (
    NO_FLAGS,
    SIGNED,
    SIGNED_YAML,
    Flags,
    Setting,
)


@dataclass(frozen=True, kw_only=True)
class Mistake:
    """Something that is wrong with a cluster or a node.

    Args:
        name: In a few words.
        who: The beginning of the names of the nodes that are wrong.
        flags: Wrong ones.
        right: Those in their place, once mended.
        yaml: The reflector's configuration.
        pod_cidrs: Of nodes that have another's.
        kind: What the reflector calls it; empty where it can't see it.
        fix: What its fix says.
        log: What kube-router itself says, where the reflector sees nothing.
        behind: As of a setting.
        stays: Whether flags don't mend it.
    """

    name: str
    who: str
    flags: Flags = field(default_factory=dict)
    right: Flags = field(default_factory=dict)
    yaml: str = ""
    kind: str = ""
    fix: str = ""
    log: str = ""
    pod_cidrs: Flags = field(default_factory=dict)
    behind: str = ""
    stays: bool = False

    @property
    def setting(self) -> Setting:
        """The class with it."""
        return self._setting(self.flags)

    @property
    def mended(self) -> Setting:
        """The class without it."""
        return self._setting(self.right)

    def _setting(self, flags: Flags) -> Setting:
        everybody = SIGNED if self.yaml else NO_FLAGS
        return Setting(
            name=self.name,
            flags=everybody,
            nodes={self.who: {**everybody, **flags}},
            yaml=self.yaml,
            pod_cidrs=self.pod_cidrs,
            behind=self.behind,
            size=1 if self.behind else 2,
        )


MISTAKES: Final = (
    Mistake(
        name="another --cluster-asn",
        who="c2",
        flags={"--cluster-asn": "64513"},
        kind="wrong-as",
        fix="--cluster-asn=64512",
    ),
    Mistake(
        name="another --peer-router-asns",
        who="c2",
        flags={"--peer-router-asns": "64513"},
        kind="expects-other-as",
        fix="--peer-router-asns=64512",
    ),
    Mistake(
        name="another AS in both flags",
        who="c2",
        flags={"--cluster-asn": "64513", "--peer-router-asns": "64513"},
        kind="wrong-as",
        fix="--cluster-asn=64512 and --peer-router-asns=64512",
    ),
    Mistake(
        name="another node's address in --peer-router-ips",
        who="c2n2",
        flags={"--peer-router-ips": "10.77.0.11"},
        log="Starting network route controller",
    ),
    Mistake(
        name="no --peer-router-asns",
        who="c2",
        flags={"--peer-router-asns": ""},
        log="number of IPs and ASN numbers must be equal",
    ),
    Mistake(
        name="the same --router-id in two clusters",
        who="c",
        flags={"--router-id": "10.77.0.99"},
        kind="same-router-id",
        fix="--router-id",
    ),
    Mistake(
        name="the reflector's --router-id",
        who="c2n2",
        flags={"--router-id": "223.255.0.1"},
        kind="our-router-id",
        fix="--router-id",
    ),
    Mistake(
        name="the same pod CIDR",
        who="c2n2",
        pod_cidrs={"c2n2": "10.11.0.0/24"},
        kind="same-cidr",
        fix="pod CIDR",
        stays=True,
    ),
    Mistake(
        name="a pod CIDR around another",
        who="c2n2",
        pod_cidrs={"c2n2": "10.11.0.0/16"},
        kind="overlapping-cidr",
        fix="pod CIDR",
        stays=True,
    ),
    Mistake(
        name="--advertise-pod-cidr=false",
        who="c2n2",
        flags={"--advertise-pod-cidr": "false"},
        kind="announces-nothing",
        fix="--advertise-pod-cidr=true",
    ),
    Mistake(
        name="a password here alone",
        who="c2",
        flags={"--peer-router-passwords": ""},
        yaml=SIGNED_YAML,
        kind="md5",
        fix="--peer-router-passwords",
    ),
    Mistake(
        name="another password",
        who="c2",
        flags={"--peer-router-passwords": "bm9uZQ=="},
        yaml=SIGNED_YAML,
        kind="md5",
        fix="--peer-router-passwords",
    ),
    Mistake(
        name="a password there alone",
        who="c2",
        flags=SIGNED,
        kind="md5",
        fix="--peer-router-passwords",
    ),
    Mistake(
        name="a password that is not base64",
        who="c2",
        flags={"--peer-router-passwords": "what-is-on-the-board"},
        yaml=SIGNED_YAML,
        log="as a base64 encoded string",
    ),
    Mistake(
        name="another --peer-router-ports",
        who="c2",
        flags={"--peer-router-ports": "1790"},
        log="Starting network route controller",
    ),
    Mistake(
        name="virtual machines behind a NAT each",
        who="c",
        behind="10.0.2.15",
        kind="same-address",
        fix="--node-ip",
        stays=True,
    ),
)
