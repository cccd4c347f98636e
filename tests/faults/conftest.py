"""Tests that take parts of the portal away; the `house` in which they do so is the run's."""
