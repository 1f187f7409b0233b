"""bgp-reflector: a BGP route reflector (RFC 4456) for classrooms and labs."""

__version__ = "0.1.0"
