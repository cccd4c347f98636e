"""Whether the portal lives, is ready, and how each of its processes goes. For operators; never evidence."""
