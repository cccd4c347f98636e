"""Whether the broker answers, asked with little patience."""

import redis
from django.conf import settings

PATIENCE_S = 0.5


def broker_trouble() -> str:
    """A short word for what stands in the way; empty where it answers. Never an address."""
    client = redis.Redis.from_url(
        settings.REDIS_URL, socket_connect_timeout=PATIENCE_S, socket_timeout=PATIENCE_S, retry=None
    )
    try:
        client.ping()
    except (redis.RedisError, OSError, ValueError) as error:
        return type(error).__name__
    finally:
        client.close()
    return ""
