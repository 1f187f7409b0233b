"""A peer's import policy at work: what is decided is remembered, what is rejected is counted."""

from reflector.bgp.attributes import PathAttributes
from reflector.bgp.limits import SPARE_PATHS_PER_PEER
from reflector.bgp.vocabulary import Family
from reflector.rib.policy import Outcome, Plan, Policy
from reflector.rib.source import Source


class ImportFilter:
    """The import policy of one peer.

    Args:
        policy: What to do with its routes.
        source: The peer.

    Attributes:
        rejected: How many prefixes were rejected, by the rule that did it.
    """

    def __init__(self, policy: Policy, source: Source) -> None:
        self.rejected: dict[str, int] = {}
        self._policy = policy
        self._source = source
        self._plans: dict[PathAttributes, Plan] = {}

    def sort(
        self, family: Family, attributes: PathAttributes, prefixes: list[bytes]
    ) -> dict[Outcome, list[bytes]]:
        """What becomes of announced prefixes."""
        plan = self._plans.get(attributes)
        if plan is None:
            if len(self._plans) >= SPARE_PATHS_PER_PEER:
                self._plans.clear()
            plan = self._plans[attributes] = self._policy.plan(
                attributes, self._source, heeded=True
            )
        outcomes = plan.sort(family, prefixes)
        for outcome, which in outcomes.items():
            if outcome.attributes is None:
                self.rejected[outcome.rule] = self.rejected.get(outcome.rule, 0) + len(which)
        return outcomes
