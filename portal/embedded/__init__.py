"""PostgreSQL, a Redis-protocol server and a mail sink as plain processes, and the supervisor that runs them."""
