"""Timestamps of an authority outside (RFC 3161): that a checkpoint, or a pack, was there at a time. Optional; nothing waits for them."""
