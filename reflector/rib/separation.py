"""Clusters that are kept apart from the others: rules in front of the export policies of all peers.

For teaching: sessions stay up, and what leads to the cluster or out of it is withdrawn.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from reflector.rib.policy import Policy, Rule, Side, Verdict
from reflector.rib.returning import Returning, returning
from reflector.rib.source import Source


@dataclass(frozen=True, slots=True)
class Separation:
    """Who is kept apart.

    Args:
        clusters: The nodes of each by the cluster's name, known by what stays when they reconnect.
    """

    clusters: Mapping[str, frozenset[Returning]] = field(default_factory=dict)

    def export(self, source: Source, policy: Policy | None) -> Policy | None:
        """What a peer is told of: its own export policy, behind what keeps clusters apart."""
        rules = self._rules(source)
        if not rules:
            return policy
        if policy is None:
            return Policy("apart", rules, Verdict.ACCEPT)
        return Policy(policy.name, rules + policy.rules, policy.otherwise)

    def parts(self, one: Source, other: Source) -> str:
        """The cluster that is kept apart and holds one of two peers alone; empty for none."""
        if one.local or other.local:
            return ""
        ours, theirs = self.cluster(one), self.cluster(other)
        return "" if ours == theirs else ours or theirs

    def cluster(self, source: Source) -> str:
        """The cluster that is kept apart and holds a peer; empty for those that are together."""
        key = returning(source)
        return next((name for name, nodes in self.clusters.items() if key in nodes), "")

    def _rules(self, source: Source) -> tuple[Rule, ...]:
        cluster = self.cluster(source)
        if cluster:
            return (_rule(cluster, self.clusters[cluster], inside=False),)
        return tuple(_rule(name, nodes, inside=True) for name, nodes in self.clusters.items())


def _rule(cluster: str, nodes: frozenset[Returning], *, inside: bool) -> Rule:
    name = f"cluster {cluster} is disconnected"
    return Rule(name, Verdict.REJECT, side=Side(nodes, inside))
