"""The protocol, sans-IO: vocabulary, framing, UPDATE split and pack, session state machine."""
