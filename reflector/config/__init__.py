"""Configuration: the frozen model, its YAML and FRR readers, and a reload as a diff."""
