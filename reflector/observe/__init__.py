"""What people and machines see of the reflector: log, control socket, and more to come."""
