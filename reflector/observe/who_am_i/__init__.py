"""The debug address answers who asks."""
