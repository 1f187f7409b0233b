"""Statements of FRR's bgpd.conf that are not read but known: skipped with a note, or refused.

A statement that would change routing and isn't supported stops the start, because a class that runs
on half of what its file says is worse than one that doesn't start. One that only changes looks, or
what a reflector does anyway, is skipped with a note. The longest entry that a statement begins with
counts; `*` stands for any one word.
"""

from typing import Final

# What a skipped statement is, and why nothing is lost without it.
COSMETIC: Final = {
    "hostname": "the name comes from the machine",
    "domainname": "the name comes from the machine",
    "frr version": "it says who wrote the file",
    "frr defaults": "the defaults are the reflector's own",
    "service": "there is no vty to serve",
    "password": "there is no vty to protect",
    "enable": "there is no vty to protect",
    "banner": "there is no vty to greet on",
    "username": "there is no vty to log in to",
    "log": "the log goes to stderr (--log-format, --log-level)",
    "debug": "for more in the log: --log-level debug",
    "agentx": "there is no SNMP",
    "line": "there is no vty",
    "exec-timeout": "there is no vty",
    "ip forwarding": "forwarding is the kernel's matter",
    "ipv6 forwarding": "forwarding is the kernel's matter",
    "ip nht": "next hops are not looked up",
    "zebra": "routes are not installed here",
    "bgp log-neighbor-changes": "they are always logged",
    "bgp default ipv4-unicast": "families are those that a peer and its address-family blocks name",
    "bgp default show-hostname": "it changes looks",
    "bgp default show-nexthop-hostname": "it changes looks",
    "bgp network import-check": "own networks are announced without a look at the kernel's routes",
    "bgp ebgp-requires-policy": "there are no external peers",
    "bgp suppress-duplicates": "duplicates are not sent",
    "bgp fast-external-failover": "there are no external peers",
    "bgp deterministic-med": "MED is always compared so (RFC 4271 9.1.2.2)",
    "bgp no-rib": "routes are not installed here",
    "bgp listen limit": "there is no cliff at 100 peers; limits.max-sessions is 10,000",
    "bgp graceful-restart-disable": "it is not negotiated",
    "bgp client-to-client reflection": "it is what this program is for",
    "neighbor * soft-reconfiguration inbound": "received routes are always kept",
    "neighbor * send-community": "communities are always sent",
    "neighbor * capability": "capabilities are always negotiated",
    "neighbor * timers connect": "it is dialled every few seconds",
    "neighbor * advertisement-interval": "changes are sent at once",
    "neighbor * disable-connected-check": "there is no such check",
    "neighbor * ebgp-multihop": "there are no external peers",
    "neighbor * enforce-multihop": "there are no external peers",
    "neighbor * next-hop-self": "a reflector leaves next hops alone, as FRR does for reflected routes",
    "neighbor * interface": "the kernel finds the way to a peer",
    "neighbor * update-source": "the kernel chooses the address to dial from",
    "neighbor * solo": "it changes nothing for peers that are told the same",
    "neighbor * graceful-restart-disable": "it is not negotiated",
    "maximum-paths": "every node chooses for itself",
    "distance": "routes are not installed here",
}

# What a refused statement would do, and what to do instead.
REFUSED: Final = {
    "bgp bestpath": "it would change which path is best, and the decision process is the RFC's",
    "bgp always-compare-med": "it would change which path is best",
    "bgp confederation": "confederations are not supported",
    "bgp graceful-restart": "graceful restart is not supported yet; take the line out",
    "bgp default local-preference": "LOCAL_PREF passes as the peers set it",
    "bgp dampening": "route flap dampening is not supported",
    "bgp listen range": "it needs `bgp listen range PREFIX peer-group NAME`",
    "redistribute": "routes of the kernel are not announced; use `network`",
    "aggregate-address": "aggregation is not supported; use `network`",
    "route-map": "route maps are not supported",
    "ip prefix-list": "prefix lists are not supported",
    "ipv6 prefix-list": "prefix lists are not supported",
    "ip community-list": "community lists are not supported",
    "bgp community-list": "community lists are not supported",
    "ip as-path": "AS path lists are not supported",
    "bgp as-path": "AS path lists are not supported",
    "access-list": "access lists are not supported",
    "ip route": "static routes are the kernel's matter: use `ip route add`",
    "ipv6 route": "static routes are the kernel's matter: use `ip -6 route add`",
    "interface": "interfaces are the kernel's matter",
    "vrf": "VRFs are not supported",
    "router": "only `router bgp N` is supported, once",
    "rpki": "RPKI is not supported",
    "bfd": "BFD is not supported",
    "address-family": "only ipv4 unicast and ipv6 unicast are supported",
    "neighbor * route-map": "route maps are not supported",
    "neighbor * prefix-list": "prefix lists are not supported",
    "neighbor * filter-list": "AS path lists are not supported",
    "neighbor * distribute-list": "access lists are not supported",
    "neighbor * maximum-prefix": "a limit of prefixes is not supported yet; take the line out",
    "neighbor * default-originate": "use `network 0.0.0.0/0`",
    "neighbor * allowas-in": "a route with our AS in its path is a loop",
    "neighbor * as-override": "AS numbers pass untouched",
    "neighbor * remove-private-AS": "AS numbers pass untouched",
    "neighbor * local-as": "every peer sees the one AS number",
    "neighbor * weight": "weights are not supported",
    "neighbor * attribute-unchanged": "attributes always pass unchanged; take the line out",
    "neighbor * route-server-client": "route servers are not supported yet",
    "neighbor * ttl-security": "GTSM is not supported yet",
    "neighbor * addpath-tx-all-paths": "ADD-PATH is not supported yet",
    "neighbor * bfd": "BFD is not supported",
    "neighbor * unsuppress-map": "route maps are not supported",
    "neighbor * strict-capability-match": "it would turn peers away",
    "neighbor * override-capability": "it would guess at peers' capabilities",
    "neighbor * dont-capability-negotiate": "it would leave peers without 4-octet AS numbers",
}


def lookup(table: dict[str, str], words: list[str]) -> str | None:
    """What a table says of a statement, by the longest entry that it begins with."""
    best: tuple[int, str | None] = 0, None
    for entry, said in table.items():
        pattern = entry.split()
        fits = len(pattern) <= len(words) and all(
            ours in ("*", theirs) for ours, theirs in zip(pattern, words, strict=False)
        )
        if fits and len(pattern) > best[0]:
            best = len(pattern), said
    return best[1]
