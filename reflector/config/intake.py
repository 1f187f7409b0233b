"""What the configuration says of peers' routes, in the routing's terms."""

from math import inf

from reflector.bgp.nlri import pack_prefix
from reflector.bgp.vocabulary import FAMILIES
from reflector.config import policy_model
from reflector.config.model import Config, PeerSettings
from reflector.rib.intake import Intake
from reflector.rib.maximum import MaximumPrefix
from reflector.rib.policy import Change, Policy, Rule, Verdict
from reflector.rib.prefix_set import PrefixRange, PrefixSet

Policies = dict[str, Policy]


def policies(config: Config) -> Policies:
    """The policies of a configuration, by name."""
    sets = {
        each.name: PrefixSet(tuple(map(_prefix_range, each.prefixes)))
        for each in config.prefix_sets
    }
    return {
        each.name: Policy(
            each.name,
            tuple(
                _rule(f"{each.name}, rule {i}", rule, sets) for i, rule in enumerate(each.rules, 1)
            ),
            Verdict(each.otherwise),
        )
        for each in config.policies
    }


def intake(settings: PeerSettings, known: Policies) -> Intake:
    """What becomes of a peer's routes on their way in."""
    said = settings.maximum_prefix
    return Intake(
        accept_default=settings.accept_default,
        graceful_shutdown=settings.graceful_shutdown,
        maximum=MaximumPrefix(
            said.limit, said.limit * said.warn_at_percent // 100, said.action == "warn"
        ),
        policy=_named(settings.import_policy, known),
    )


def export(settings: PeerSettings, known: Policies) -> Policy | None:
    """Which routes a peer is told of, None for all."""
    return _named(settings.export_policy, known)


def hold_down_s(settings: PeerSettings) -> float:
    """How long a peer that had too many prefixes is kept out, in seconds."""
    said = settings.maximum_prefix
    return said.restart_after_s if said.action == "restart" else inf


def _named(name: str | None, known: Policies) -> Policy | None:
    return None if name is None else known[name]


def _rule(name: str, rule: policy_model.Rule, sets: dict[str, PrefixSet]) -> Rule:
    return Rule(
        name,
        Verdict(rule.then),
        tuple(sets[each] for each in rule.prefix_sets),
        frozenset(rule.communities),
        rule.from_peers,
        frozenset(rule.as_path),
        rule.as_path_length,
        Change(rule.set_local_pref, rule.set_med, rule.add_communities),
    )


def _prefix_range(said: policy_model.PrefixRange) -> PrefixRange:
    family = FAMILIES[1 if said.network.version == 4 else 2, 1]  # noqa: PLR2004 - IP version
    return PrefixRange(family, pack_prefix(said.network), said.least, said.most)
