"""Asking, the page of one request, and lists of requests."""
