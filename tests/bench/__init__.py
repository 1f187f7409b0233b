"""The benchmark: a compiled load generator, real daemons beside ours, and one table."""
