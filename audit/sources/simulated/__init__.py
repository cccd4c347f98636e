"""The log of the simulated target: one file, one JSON object a line. Production refuses it."""
