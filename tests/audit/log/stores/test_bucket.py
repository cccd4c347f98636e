"""A bucket as a store, held against moto's server over HTTP. What it does not enforce is said in docs/operate.md."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from django.db import connection
from moto.server import ThreadedMotoServer

from audit.log import checking
from audit.log.append import process
from audit.log.backup.target import open_target
from audit.log.publishing import publish_once
from audit.log.stores import HEAD, Conflict, Overtaken, StoreUnavailable
from audit.log.stores.bucket import BucketStore
from audit.log.stores.opening import open_store
from audit.log.verify.check import Wanted, check
from audit.log.verify.sources import Address
from tests.audit.log.logged import run_signer, sealed
from tests.audit.log.paused import PUTS, woken_after

if TYPE_CHECKING:
    from mypy_boto3_s3.client import S3Client


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    try:
        yield f"http://{host}:{port}"
    finally:
        server.stop()


@pytest.fixture
def client(endpoint: str, monkeypatch: pytest.MonkeyPatch) -> "S3Client":
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    return boto3.client("s3", endpoint_url=endpoint, region_name="us-east-1")


@pytest.fixture
def store(client: "S3Client", endpoint: str, request: pytest.FixtureRequest) -> BucketStore:
    name = f"log-{abs(hash(request.node.name))}"
    client.create_bucket(Bucket=name, ObjectLockEnabledForBucket=True)
    client.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
    found = open_store(f"s3://{name}/portal/?region=us-east-1&endpoint={endpoint}&retain_days=30")
    assert isinstance(found, BucketStore)
    found.check()
    return found


def test_full_resources_are_locked_and_partial_ones_and_the_head_are_not(store: BucketStore) -> None:
    store.put({"tile/0/000": b"full", "tile/entries/000": b"bundle", "tile/0/001.p/8": b"part"})
    store.move_head(None, b"head")
    locks = {
        path: store.client.head_object(Bucket=store.bucket, Key=f"portal/{path}").get("ObjectLockMode")
        for path in ("tile/0/000", "tile/entries/000", "tile/0/001.p/8", HEAD)
    }
    assert locks == {"tile/0/000": "COMPLIANCE", "tile/entries/000": "COMPLIANCE", "tile/0/001.p/8": None, HEAD: None}
    until = store.client.head_object(Bucket=store.bucket, Key="portal/tile/0/000")["ObjectLockRetainUntilDate"]
    assert timedelta(days=29) < until - datetime.now(UTC) <= timedelta(days=30)


def test_same_bytes_may_be_put_again_and_others_never(store: BucketStore) -> None:
    for _ in range(2):
        store.put({"tile/0/000": b"one", "tile/0/001": b"two"})
    with pytest.raises(Conflict, match="tile/0/001"):
        store.put({"tile/0/000": b"one", "tile/0/001": b"other"})
    assert [store.read("tile/0/000"), store.read("tile/0/001"), store.read("tile/0/002")] == [b"one", b"two", None]


def test_same_bytes_that_somebody_put_without_a_lock_are_locked(store: BucketStore) -> None:
    store.client.put_object(Bucket=store.bucket, Key="portal/tile/0/000", Body=b"one")
    store.put({"tile/0/000": b"one"})
    assert store.client.head_object(Bucket=store.bucket, Key="portal/tile/0/000")["ObjectLockMode"] == "COMPLIANCE"


@pytest.mark.parametrize(
    ("mode", "days", "expected"),
    [("COMPLIANCE", 3, 30), ("GOVERNANCE", 3, 30), ("GOVERNANCE", 90, 90), ("COMPLIANCE", 90, 90)],
)
def test_same_bytes_under_a_shorter_lock_are_locked_for_longer_and_never_for_less(
    store: BucketStore, mode: Any, days: int, expected: int
) -> None:
    begun = datetime.now(UTC)
    store.client.put_object(
        Bucket=store.bucket, Key="portal/tile/0/000", Body=b"one", ObjectLockMode=mode,
        ObjectLockRetainUntilDate=begun + timedelta(days=days),
    )  # fmt: skip
    store.put({"tile/0/000": b"one"})
    found = store.lock_of("tile/0/000")
    assert found is not None
    assert (found[0], round((found[1] - begun) / timedelta(days=1))) == ("COMPLIANCE", expected)


def test_readers_are_told_what_they_get(store: BucketStore) -> None:
    """As C2SP tlog-tiles and tlog-checkpoint have it; a line of a witness beside the log is a checkpoint too."""
    store.put({"tile/0/000": b"full", "tile/entries/000": b"bundle", "tile/0/001.p/8": b"part"})
    store.move_head(None, b"head")
    store.beside("witnessed/0.checkpoint").move_head(None, b"head")
    types = {
        path: store.client.head_object(Bucket=store.bucket, Key=f"portal/{path}")["ContentType"]
        for path in (HEAD, "witnessed/0.checkpoint", "tile/0/000", "tile/entries/000", "tile/0/001.p/8")
    }
    text, data = "text/plain; charset=utf-8", "application/octet-stream"
    assert list(types.values()) == [text, text, data, data, data]


def test_a_bucket_that_would_lock_what_passes_is_refused_at_the_start(store: BucketStore) -> None:
    rule: Any = {"ObjectLockEnabled": "Enabled", "Rule": {"DefaultRetention": {"Mode": "COMPLIANCE", "Days": 1}}}
    store.client.put_object_lock_configuration(Bucket=store.bucket, ObjectLockConfiguration=rule)
    with pytest.raises(StoreUnavailable, match="must have no default retention: it would lock partial tiles and each"):
        store.check()


def test_head_is_moved_only_by_who_read_it_last(store: BucketStore) -> None:
    store.move_head(None, b"first")
    store.move_head(b"first", b"second")
    for stale in (None, b"first"):
        with pytest.raises(Overtaken):
            store.move_head(stale, b"third")
    assert store.read(HEAD) == b"second"


def test_partial_resources_are_forgotten_and_nothing_else_ever(store: BucketStore) -> None:
    store.put({"tile/0/000.p/8": b"part", "tile/0/000": b"full"})
    store.forget(["tile/0/000.p", "tile/0/001.p"])
    with pytest.raises(ValueError, match="holds no partial"):
        store.forget(["tile/0"])
    assert [store.read("tile/0/000.p/8"), store.read("tile/0/000")] == [None, b"full"]


@pytest.mark.parametrize("lacks", ["versioning", "lock"])
def test_a_bucket_that_locks_nothing_is_refused_at_the_start(client: "S3Client", endpoint: str, lacks: str) -> None:
    name = f"plain-{lacks}"
    client.create_bucket(Bucket=name, ObjectLockEnabledForBucket=lacks == "versioning")
    if lacks == "versioning":
        client.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Suspended"})
    else:
        client.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
    with pytest.raises(StoreUnavailable, match="versioning and Object Lock"):
        open_store(f"s3://{name}?region=us-east-1&endpoint={endpoint}").check()


def test_a_bucket_that_is_not_there_is_told_as_such(client: "S3Client", endpoint: str) -> None:
    with pytest.raises(StoreUnavailable, match="NoSuchBucket"):
        open_store(f"s3://nowhere?region=us-east-1&endpoint={endpoint}").check()
    with pytest.raises(StoreUnavailable, match="EndpointConnectionError"):
        open_store("s3://nowhere?region=us-east-1&endpoint=http://127.0.0.1:9").check()


@pytest.mark.parametrize("address", ["log", "s3:///prefix", "s3://b?retain_days=x", "s3://b?secret=1", "https://b"])
def test_addresses_that_name_no_store_are_refused(address: str) -> None:
    with pytest.raises(ValueError, match=r"whole path|whole number"):
        open_store(address)


@pytest.mark.django_db
def test_the_head_and_resources_must_have_the_content_types_of_the_page(store: BucketStore) -> None:
    sealed(2)
    publish_once(connection, store, [run_signer().verifier()])
    names = ("checkpoint", "tile/0/000.p/2", "tile/entries/000.p/2")
    types = [store.client.head_object(Bucket=store.bucket, Key=f"portal/{name}")["ContentType"] for name in names]
    assert types == ["text/plain; charset=utf-8", "application/octet-stream", "application/octet-stream"]


@pytest.mark.django_db
def test_a_log_is_published_and_grows(store: BucketStore) -> None:
    key = run_signer().verifier()
    for more, size in ((3, 3), (300, 303)):
        sealed(more)
        head = publish_once(connection, store, [key])
        assert head is not None
        assert (head.checkpoint.size, store.read(HEAD)) == (size, head.data)
    listed = store.client.list_objects_v2(Bucket=store.bucket)["Contents"]
    assert sorted(each["Key"] for each in listed) == [
        "portal/checkpoint", "portal/tile/0/000", "portal/tile/0/001.p/47", "portal/tile/1/000.p/1",
        "portal/tile/entries/000", "portal/tile/entries/001.p/47",
    ]  # fmt: skip


def test_what_passes_is_listed_and_erased_in_every_version(store: BucketStore) -> None:
    store.put({"personal/000-a.p/values": b"one", "personal/001-b.p/values": b"two", "personal/full": b"kept"})
    store.client.put_object(Bucket=store.bucket, Key="portal/personal/000-a.p/values", Body=b"another version")
    store.forget(["personal/000-a.p"])
    assert store.passing("personal") == ["personal/000-a.p", "personal/001-b.p"]
    store.erase(["personal/000-a.p"])
    assert store.passing("personal") == ["personal/001-b.p"]
    left = store.client.list_object_versions(Bucket=store.bucket, Prefix="portal/personal/")
    assert sorted(each["Key"] for each in left["Versions"]) == [
        "portal/personal/001-b.p/values",
        "portal/personal/full",
    ]
    with pytest.raises(ValueError, match="no partial resources"):
        store.erase(["personal/full"])


def test_what_lies_beyond_the_head_is_taken_away_and_stays_as_a_locked_version(store: BucketStore) -> None:
    store.put({"tile/0/000": b"one", "tile/0/001": b"lost", "other": b"kept"})
    store.remove(["tile/0/001"])
    store.put({"tile/0/001": b"another history"})
    assert (store.listed("tile"), store.read("tile/0/001")) == (["tile/0/000", "tile/0/001"], b"another history")
    versions = store.client.list_object_versions(Bucket=store.bucket, Prefix="portal/tile/0/001")["Versions"]
    assert len(versions) == 2


def test_a_place_for_backups_is_two_stores_in_one_bucket(client: "S3Client", endpoint: str) -> None:
    client.create_bucket(Bucket="backups", ObjectLockEnabledForBucket=True)
    client.put_bucket_versioning(Bucket="backups", VersioningConfiguration={"Status": "Enabled"})
    target = open_target(f"s3://backups/portal?region=us-east-1&endpoint={endpoint}")
    target.log.check()
    target.rest.put({"backups/1.p/contents": b"list"})
    target.rest.move_head(None, b"manifest bytes")
    target.log.put({"tile/0/000": b"full"})
    names = {each["Key"] for each in client.list_objects_v2(Bucket="backups")["Contents"]}
    assert names == {"portal/manifest", "portal/backups/1.p/contents", "portal/log/tile/0/000"}
    assert (target.head(), target.log.read("checkpoint")) == (b"manifest bytes", None)


def test_the_lock_of_a_resource_is_read_back_with_its_mode(store: BucketStore) -> None:
    store.put({"tile/0/000": b"full", "tile/0/001.p/8": b"part"})
    lock = store.lock_of("tile/0/000")
    assert lock is not None
    assert (lock[0], lock[1]) == ("COMPLIANCE", store.locked_until("tile/0/000"))
    assert (store.lock_of("tile/0/001.p/8"), store.lock_of("tile/0/002")) == (None, None)


def test_a_bundle_is_cut_with_all_its_versions_and_never_under_its_lock(store: BucketStore) -> None:
    store.put({"tile/entries/000": b"locked"})
    until = store.locked_until("tile/entries/000")
    assert until is not None
    assert until > datetime.now(UTC) + timedelta(days=29)
    with pytest.raises(StoreUnavailable):
        store.cut(["tile/entries/000"])
    for body in (b"one", b"two"):
        store.client.put_object(Bucket=store.bucket, Key="portal/tile/entries/001", Body=body)
    store.client.put_object(Bucket=store.bucket, Key="portal/tile/entries/001.p/8", Body=b"part")
    assert store.locked_until("tile/entries/001") is None
    store.cut(["tile/entries/001", "tile/entries/002"])
    left = store.client.list_object_versions(Bucket=store.bucket, Prefix="portal/tile/entries/")["Versions"]
    assert sorted(each["Key"] for each in left) == ["portal/tile/entries/000", "portal/tile/entries/001.p/8"]
    for path in ("tile/0/000", "tile/entries/000.p/8", "checkpoint"):
        with pytest.raises(ValueError, match="no full bundle"):
            store.cut([path])


@pytest.mark.django_db
@pytest.mark.parametrize("puts", range(PUTS + 1))
def test_a_publisher_of_a_lost_history_puts_nothing_more_once_it_is_woken(
    store: BucketStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, puts: int
) -> None:
    """One put after the other, so that it is known what it had begun when it was paused; side by side it is as many as it does at once."""
    monkeypatch.setattr("audit.log.stores.bucket.AT_ONCE", 1)
    woken_after(puts, store, tmp_path / "other", monkeypatch)


@pytest.mark.django_db
def test_the_daily_check_and_a_stranger_read_a_bucket(store: BucketStore, endpoint: str, settings: Any) -> None:
    """The stranger over plain HTTP, without our client; a bundle that is missing is named by both."""
    sealed(300)
    keys = [run_signer().verifier()]
    assert publish_once(connection, store, keys) is not None
    settings.PORTAL_LOG_STORE = f"s3://{store.bucket}/portal/?region=us-east-1&endpoint={endpoint}"
    for path in (HEAD, *store.listed("tile")):  # a policy of the bucket does it in earnest
        store.client.put_object_acl(Bucket=store.bucket, Key=f"portal/{path}", ACL="public-read")

    def found() -> tuple[list[str], list[str]]:
        verdict, _ = check(Address(f"{endpoint}/{store.bucket}/portal"), Wanted(keys))
        return [each.path for each in verdict.damages], checking.check(by=process("checker")).published_damages

    assert found() == ([], [])
    store.client.delete_object(Bucket=store.bucket, Key="portal/tile/entries/000")
    assert found() == (
        ["tile/entries/000"], ["entries missing: entries 0 to 255, tile/entries/000. They are not there."]
    )  # fmt: skip


@pytest.mark.django_db
def test_a_reader_between_two_requests_of_a_publication_finds_a_whole_log(
    store: BucketStore, endpoint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Under the old head until it moves, under the new one from then on; one put after the other, so that each can be looked at."""
    monkeypatch.setattr("audit.log.stores.bucket.AT_ONCE", 1)
    keys = [run_signer().verifier()]
    sealed(255)
    publish_once(connection, store, keys)
    reader, steps = open_store(f"s3://{store.bucket}/portal/?region=us-east-1&endpoint={endpoint}"), list[Any]()

    def look(model: Any, **_: Any) -> None:
        verdict, head = check(reader, Wanted(keys))
        assert (verdict.damages, head is not None) == ([], True)
        steps.append((model.name, verdict.size))

    for name in ("PutObject", "DeleteObject"):
        store.client.meta.events.register(f"after-call.s3.{name}", look)
    sealed(2)
    publish_once(connection, store, keys)
    put, gone = [("PutObject", 255)] * 5, [("DeleteObject", 257)] * 2
    assert steps == [*put, ("PutObject", 257), *gone]
