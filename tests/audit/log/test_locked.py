"""What is published in a bucket is read back with its lock by the hour, against an S3 server on loopback."""

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from django.db import connection

from audit.log import locked
from audit.log.append import clock, now_ms
from audit.log.publishing import publish_once
from audit.log.read import named
from audit.log.stores.bucket import BucketStore
from tests.audit.log.logged import run_signer, sealed
from tests.audit.log.stores.test_bucket import client, endpoint, store

if TYPE_CHECKING:
    from mypy_boto3_s3.client import S3Client

__all__ = ["client", "endpoint", "store"]
pytestmark = pytest.mark.django_db
HOUR, DAY = 3_600_000, 86_400_000
TILE = "portal/tile/0/000"


@pytest.fixture
def published(store: BucketStore, endpoint: str, settings: Any) -> BucketStore:
    """A log of 257 entries in the bucket that the settings name."""
    settings.PORTAL_LOG_STORE = f"s3://{store.bucket}/portal/?region=us-east-1&endpoint={endpoint}&retain_days=30"
    sealed(257)
    publish_once(connection, store, [run_signer().verifier()])
    return store


def said() -> list[tuple[int, str | None, int, str | None]]:
    found = named(["log.lock_read_back"])
    return [
        (each.fields["size"], each.fields.get("mode"), each.fields["ok"], each.fields.get("sentence")) for each in found
    ]


def test_the_newest_full_tile_is_read_back_once_an_hour(published: BucketStore) -> None:
    hour, runs = now_ms() // HOUR * HOUR, []
    for minutes in (1, 59, 60, 61):
        with clock(partial(int, hour + minutes * 60_000)):
            runs.append(locked.run_due())
    assert runs == [1, 0, 1, 0]
    assert said() == [(256, "COMPLIANCE", 1, None)] * 2
    until = named(["log.lock_read_back"])[0].fields["until"]
    assert abs(until - now_ms() - 30 * DAY) < DAY


def test_nothing_is_said_where_no_bucket_is_set_or_no_tile_is_full(
    store: BucketStore, endpoint: str, settings: Any, tmp_path: Path
) -> None:
    sealed(255)
    publish_once(connection, store, [run_signer().verifier()])
    for address in ("", str(tmp_path), f"s3://{store.bucket}/portal/?region=us-east-1&endpoint={endpoint}"):
        settings.PORTAL_LOG_STORE = address
        assert locked.run_due() == 0


def test_other_bytes_in_its_place_are_said(published: BucketStore, client: "S3Client") -> None:
    client.put_object(Bucket=published.bucket, Key=TILE, Body=b"others")  # a lock keeps versions, not names
    locked.run_due()
    assert said() == [(256, None, 0, "At tile/0/000 lie other bytes than the log has.")]


def test_the_same_bytes_without_a_lock_are_said(published: BucketStore, client: "S3Client") -> None:
    client.put_object(Bucket=published.bucket, Key=TILE, Body=published.read("tile/0/000") or b"")
    locked.run_due()
    assert said() == [(256, None, 0, "tile/0/000 is not locked, so it can be removed.")]


def test_a_bucket_that_is_not_there_is_said_once_in_the_hour(
    published: BucketStore, endpoint: str, settings: Any
) -> None:
    settings.PORTAL_LOG_STORE = f"s3://nowhere/portal/?region=us-east-1&endpoint={endpoint}"
    at = now_ms()
    with clock(partial(int, at)):
        assert (locked.run_due(), locked.run_due()) == (1, 0)
    assert said() == [(0, None, 0, "What is published cannot be read back. The bucket nowhere answers NoSuchBucket.")]
