"""What today's service is configured with."""

from typing import Final

# The course's own file, word for word.
COURSE_BGPD_CONF: Final = """\
hostname frr
router bgp 64512
network 1.0.0.2/32
bgp log-neighbor-changes
neighbor kube peer-group
neighbor kube remote-as 64512
neighbor kube route-reflector-client
bgp listen range 0.0.0.0/0 peer-group kube
log stdout
"""
