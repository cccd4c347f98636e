"""Readers of targets' own logs. Each kind has its folder; what they find has one shape, `records`."""
