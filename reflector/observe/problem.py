"""What a problem is, and the texts of every kind: the page, `problems` and the docs have one source."""

from dataclasses import dataclass, field
from typing import Final, Literal

Severity = Literal["error", "warning"]


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of problem.

    Args:
        severity: "error" where somebody has no routes for it, else "warning".
        title: In a few words.
        cause: What leads to it, for the docs.
        fix: What mends it; `{…}` are filled in.
    """

    severity: Severity
    title: str
    cause: str
    fix: str


KINDS: Final[dict[str, Kind]] = {
    "wrong-as": Kind(
        "error",
        "Wrong AS number",
        "The node's OPEN names another AS than the reflector's: its cluster runs with another "
        "`--cluster-asn`.",
        "Start kube-router on {node} with --cluster-asn={asn} and --peer-router-asns={asn}, and "
        "restart its pod.",
    ),
    "expects-other-as": Kind(
        "error",
        "Node expects another AS number of us",
        "The node is in the right AS and refuses ours (NOTIFICATION 2/2): its "
        "`--peer-router-asns` is wrong, so that it believes the session to be external.",
        "Start kube-router on {node} with --peer-router-asns={asn}, and restart its pod.",
    ),
    "same-cidr": Kind(
        "error",
        "Nodes announce the same pod CIDR",
        "Two clusters or more were made with the same `--cluster-cidr` or `podSubnet`. Only one of the "
        "nodes gets the traffic.",
        "Give one of the two clusters another pod CIDR (kubeadm: --pod-network-cidr; then "
        "kube-router announces it), or stop kube-router on one of them.",
    ),
    "overlapping-cidr": Kind(
        "error",
        "Pod CIDRs overlap",
        "One node announces addresses that lie within another's prefix. The longer prefix takes "
        "the traffic of that part.",
        "Give one of the two clusters another pod CIDR (kubeadm: --pod-network-cidr).",
    ),
    "held-back": Kind(
        "error",
        "Pod CIDR held back",
        "The node announces a pod CIDR that overlaps another node's, which was there first, and "
        "`quarantine` is on: the newcomer's route is not used.",
        "Give one of the two clusters another pod CIDR (kubeadm: --pod-network-cidr), or stop "
        "kube-router on the first: then the other's is used.",
    ),
    "same-router-id": Kind(
        "error",
        "Two nodes have the same router id",
        "Nodes were cloned, or are started with the same `--router-id`. Nodes ignore routes that "
        "come with their own router id.",
        "Start kube-router on one of them with another --router-id (its own address is a good "
        "one), and restart its pod.",
    ),
    "same-address": Kind(
        "error",
        "Two nodes have the same address",
        "Virtual machines, each behind a NAT of its own, that all have the same address inside, as "
        "VirtualBox gives them 10.0.2.15. It is their router id and the next hop of their routes, and "
        "nobody else reaches it.",
        "Give the virtual machines a bridged network adapter instead of NAT, and let Kubernetes use its "
        "address (kubelet: --node-ip).",
    ),
    "our-router-id": Kind(
        "error",
        "Node has the reflector's router id",
        "The node is started with the same `--router-id` as the reflector.",
        "Start kube-router on {node} with another --router-id, or this reflector with another "
        "--router-id.",
    ),
    "silent": Kind(
        "error",
        "Node connects and says nothing",
        "TCP works, and no OPEN arrives: something other than BGP is connecting, or a proxy or "
        "firewall lies between.",
        "Look at kube-router's log on {node} (kubectl -n kube-system logs -l k8s-app=kube-router): "
        "does it run, and is it what connects? Nothing but kube-router should use this port.",
    ),
    "no-bgp": Kind(
        "error",
        "Something that is not BGP connects",
        "What arrives is no BGP message: a browser, a health check or another program dials the BGP "
        "port.",
        "Find the program on {node} (`ss -tnp` there shows who is connected to the reflector) and point "
        "it elsewhere: the page and the API have a port of their own.",
    ),
    "hold-time": Kind(
        "error",
        "Hold time is too short",
        "The node's OPEN proposes a hold time of one or two seconds, which RFC 4271 forbids.",
        "Start kube-router on {node} with --bgp-holdtime=90s, and restart its pod.",
    ),
    "hold-timer": Kind(
        "error",
        "Node fell silent",
        "Nothing was heard of the node for the hold time: it is switched off or overloaded, or the "
        "network between is broken.",
        "See whether {node} runs and answers: ping {address}. It comes back by itself.",
    ),
    "flapping": Kind(
        "warning",
        "Session comes and goes",
        "The session ended several times within two minutes: kube-router restarts again and "
        "again, two nodes share an address, or the network loses packets.",
        "See whether kube-router restarts on {node}: kubectl -n kube-system get pods -l "
        "k8s-app=kube-router -o wide",
    ),
    "md5": Kind(
        "error",
        "Passwords don't match",
        "The kernel drops segments over TCP MD5 signatures before anybody sees who sent them: the "
        "password differs, or only one side has one.",
        "Give kube-router the password of this reflector's configuration, in base64 "
        "(--peer-router-passwords), or take it away on both sides.",
    ),
    "announces-nothing": Kind(
        "warning",
        "Node announces nothing",
        "The session works, and the node has no route to offer: it has no pod CIDR, or "
        "kube-router doesn't announce it.",
        "See whether {node} has a pod CIDR (kubectl get nodes -o "
        "custom-columns=N:.metadata.name,C:.spec.podCIDR), and start kube-router on it with "
        "--run-router=true and --advertise-pod-cidr=true.",
    ),
    "waits-for-others": Kind(
        "warning",
        "Node holds its routes back",
        "With graceful restart a node waits, up to its deferral time, until all its peers have "
        "sent their routes.",
        "Wait, or start kube-router on {node} with a shorter --bgp-graceful-restart-deferral-time.",
    ),
    "foreign-next-hop": Kind(
        "warning",
        "Next hop is not the node's own address",
        "The node's routes lead to another address than the one that it connects from: NAT "
        "between, or a node with several addresses. Others can use the routes only if they reach "
        "that address directly.",
        "Ping {hop} from another cluster's node. If that fails, connect the nodes without NAT, or "
        "set the node's address (kubelet: --node-ip) to one that others reach.",
    ),
    "rejected": Kind(
        "error",
        "Routes rejected",
        "A route of the node breaks a rule that keeps everybody's sessions up; its session stays.",
        "Have {node} announce {prefix} as the rule in the text wants it, or no longer: kube-router "
        "announces its node's pod CIDR, with the node's own address as next hop.",
    ),
    "refused": Kind(
        "error",
        "Connection turned away",
        "The configuration doesn't let this address peer, or there are too many connections.",
        "The text names the setting of this reflector's configuration.",
    ),
    "disconnected": Kind(
        "warning",
        "Cluster is disconnected",
        "The presenter has disconnected the cluster from the others (docs/controls.md): its sessions "
        "stay up, and no route leads to it or out of it.",
        "Connect it again: bgp-reflector connect {cluster}, or the button on the page.",
    ),
    "own-routes-hidden": Kind(
        "warning",
        "The debug route is hidden",
        "The presenter has hidden the reflector's own routes (docs/controls.md), so that no node can "
        "see by 1.0.0.2/32 that its session works.",
        "Show them again: bgp-reflector debug-route show, or the button on the page.",
    ),
    "no-session": Kind(
        "error",
        "Node connects, and no session comes up",
        "The two sides disagree over something in the OPEN, or the node closes the connection.",
        "Look at kube-router's log on {node}: kubectl -n kube-system logs -l k8s-app=kube-router",
    ),
}


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that is wrong now.

    Args:
        kind: Of `KINDS`.
        peers: Addresses of the nodes that it is about.
        what: What is seen, in a sentence that names the nodes.
        fix: What mends it.
        since_s: Since when, in seconds since the epoch; None where that isn't known.
        subject: What tells it from others of its kind about the same nodes.
    """

    kind: str
    peers: tuple[str, ...]
    what: str
    fix: str = field(compare=False)
    since_s: float | None = field(default=None, compare=False)
    subject: str = ""

    @property
    def severity(self) -> Severity:
        """How bad it is."""
        return KINDS[self.kind].severity

    @property
    def title(self) -> str:
        """It in a few words."""
        return KINDS[self.kind].title

    def view(self) -> dict[str, object]:
        """As the API has it."""
        return {
            "kind": self.kind,
            "severity": self.severity,
            "title": self.title,
            "what": self.what,
            "fix": self.fix,
            "peers": list(self.peers),
            "subject": self.subject,
            "since": None if self.since_s is None else round(self.since_s, 1),
        }
