"""A store in an S3 bucket. Full tiles and bundles lie under Object Lock, so that nobody removes or replaces them before their date, owner included.

Needs conditional writes (``If-None-Match``, ``If-Match`` on PutObject), which Amazon S3 has had since November 2024.
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from threading import Timer
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from audit.log.addresses import spoken
from audit.log.stores import HEAD, MOST_BYTES, Conflict, Overtaken, Still, StoreUnavailable, always, check_bundle

if TYPE_CHECKING:
    from botocore.response import StreamingBody
    from mypy_boto3_s3.client import S3Client
    from mypy_boto3_s3.type_defs import GetObjectOutputTypeDef

AT_ONCE = 8
PATIENCE_S, PACE = 60.0, 2**20  # of one resource: seconds, and bytes in a further second
LOCK_MODE = "COMPLIANCE"  # GOVERNANCE can be lifted by whoever has the right to
MISSING, FAILED = frozenset({"NoSuchKey", "404"}), frozenset({"PreconditionFailed", "ConditionalRequestConflict"})
SHORTER = timedelta(
    days=1
)  # a lock that ends so much earlier is made longer; not each time that the same bytes are put again
TYPES = {True: "text/plain; charset=utf-8", False: "application/octet-stream"}


@dataclass(frozen=True)
class BucketStore:
    """The objects below a prefix of a bucket.

    Args:
        client: Of boto3.
        bucket: Its name.
        prefix: In front of every path; empty, or with a slash at its end.
        retain_days: For how many days from its writing a full resource is locked.
        head: How the object is called that is moved.
        most: Bytes that a resource may have.
        patience_s: How long the bytes of one may take, and a second more for each MiB.
    """

    client: "S3Client"
    bucket: str
    prefix: str
    retain_days: int
    head: str = HEAD
    most: int = MOST_BYTES  # bytes of a resource
    patience_s: float = PATIENCE_S

    def check(self) -> None:
        """See `Store.check`: versioning and Object Lock are switched on, and nothing is locked by itself."""
        with _told(self.bucket):
            versioning = self.client.get_bucket_versioning(Bucket=self.bucket).get("Status")
            try:
                lock: Any = self.client.get_object_lock_configuration(Bucket=self.bucket)["ObjectLockConfiguration"]
            except ClientError as error:
                if _code(error) != "ObjectLockConfigurationNotFoundError":
                    raise
                lock = {}
        if versioning != "Enabled" or lock.get("ObjectLockEnabled") != "Enabled":
            raise StoreUnavailable(f"The bucket {self.bucket} must have versioning and Object Lock switched on.")
        if lock.get("Rule", {}).get("DefaultRetention"):
            raise StoreUnavailable(
                f"The bucket {self.bucket} must have no default retention: it would lock partial tiles and each checkpoint as well, which pass. "
                "Full tiles are locked one by one."
            )

    def read(self, path: str) -> bytes | None:
        """See `Store.read`."""
        found = self._get(path)
        return found[0] if found else None

    def put(self, resources: dict[str, bytes], still: Still = always) -> None:
        """See `Store.put`."""

        def put_one(path: str, data: bytes) -> None:
            still()
            self._put_one(path, data)

        with ThreadPoolExecutor(AT_ONCE) as pool:
            for _ in pool.map(put_one, *zip(*resources.items(), strict=True)):
                pass

    def move_head(self, before: bytes | None, after: bytes) -> None:
        """See `Store.move_head`. The condition is the tag of the very bytes that were read."""
        found = self._get(self.head)
        if (found[0] if found else None) != before:
            raise Overtaken("Somebody else has published meanwhile.")
        condition: dict[str, Any] = {"IfMatch": found[1]} if found else {"IfNoneMatch": "*"}
        try:
            self._write(self.head, after, CacheControl="max-age=1", **condition)
        except _Refused as error:
            raise Overtaken("Somebody else has published meanwhile.") from error

    def beside(self, head: str) -> "BucketStore":
        """See `Store.beside`."""
        return replace(self, head=head)

    def forget(self, folders: list[str]) -> None:
        """See `Store.forget`. Partial resources have no lock; versions of them stay until the bucket's own rule removes them."""
        for folder in folders:
            _check_passes(folder)
            with _told(self.bucket):
                listed = self.client.list_objects_v2(Bucket=self.bucket, Prefix=f"{self.prefix}{folder}/")
                with ThreadPoolExecutor(AT_ONCE) as pool:  # an answer for all of them would name those that stayed
                    keys = [each["Key"] for each in listed.get("Contents", [])]
                    list(pool.map(lambda key: self.client.delete_object(Bucket=self.bucket, Key=key), keys))

    def listed(self, below: str) -> list[str]:
        """See `Store.listed`."""
        with _told(self.bucket):
            pages = self.client.get_paginator("list_objects_v2").paginate(
                Bucket=self.bucket, Prefix=f"{self.prefix}{below}/"
            )
            return [str(each["Key"]).removeprefix(self.prefix) for page in pages for each in page.get("Contents", [])]

    def remove(self, paths: list[str]) -> None:
        """See `ClearedStore.remove`: a mark of deletion, which a lock allows."""
        with _told(self.bucket):
            for path in paths:
                self.client.delete_object(Bucket=self.bucket, Key=self.prefix + path)

    def locked_until(self, path: str) -> datetime | None:
        """See `Store.locked_until`: by Object Lock."""
        with _told(self.bucket):
            try:
                until = self.client.head_object(Bucket=self.bucket, Key=self.prefix + path).get(
                    "ObjectLockRetainUntilDate"
                )
            except ClientError as error:
                if _code(error) in MISSING:
                    return None
                raise
        return until if until is not None and until > datetime.now(UTC) else None

    def lock_of(self, path: str) -> tuple[str, datetime] | None:
        """The mode of the lock of a resource, and until when it holds, as the bucket says; nothing where there is none."""
        with _told(self.bucket):
            try:
                found = self.client.head_object(Bucket=self.bucket, Key=self.prefix + path)
            except ClientError as error:
                if _code(error) in MISSING:
                    return None
                raise
        mode, until = found.get("ObjectLockMode"), found.get("ObjectLockRetainUntilDate")
        return (str(mode), until) if mode and until is not None else None

    def cut(self, paths: list[str]) -> None:
        """See `Store.cut`. The bucket itself refuses what is under lock."""
        for key in (self.prefix + check_bundle(path) for path in paths):
            with _told(self.bucket):
                pages = self.client.get_paginator("list_object_versions")
                for page in pages.paginate(Bucket=self.bucket, Prefix=key):
                    for each in (*page.get("Versions", []), *page.get("DeleteMarkers", [])):
                        if each["Key"] == key:
                            self.client.delete_object(Bucket=self.bucket, Key=key, VersionId=each["VersionId"])

    def passing(self, below: str) -> list[str]:
        """See `PassingStore.passing`."""
        start, found = f"{self.prefix}{below}/", []
        with _told(self.bucket):
            pages = self.client.get_paginator("list_object_versions")
            for page in pages.paginate(Bucket=self.bucket, Prefix=start, Delimiter="/"):
                found += [str(each["Prefix"]).removeprefix(self.prefix)[:-1] for each in page.get("CommonPrefixes", [])]
        return sorted(folder for folder in set(found) if folder.endswith(".p"))

    def erase(self, folders: list[str]) -> None:
        """See `PassingStore.erase`: every version, one by one."""
        for folder in folders:
            _check_passes(folder)
            with _told(self.bucket):
                pages = self.client.get_paginator("list_object_versions")
                for page in pages.paginate(Bucket=self.bucket, Prefix=f"{self.prefix}{folder}/"):
                    for each in (*page.get("Versions", []), *page.get("DeleteMarkers", [])):
                        self.client.delete_object(Bucket=self.bucket, Key=each["Key"], VersionId=each["VersionId"])

    def _put_one(self, path: str, data: bytes) -> None:
        locked: dict[str, Any] = {}
        if not _is_partial(path):
            until = datetime.now(UTC) + timedelta(days=self.retain_days)
            locked = {"ObjectLockMode": LOCK_MODE, "ObjectLockRetainUntilDate": until}
        try:
            self._write(path, data, IfNoneMatch="*", CacheControl="max-age=31536000, immutable", **locked)
        except _Refused as error:
            found = self.read(path)
            if found is None:
                raise StoreUnavailable(f"Somebody else writes {path} at this moment.") from error
            if found != data:
                raise Conflict(f"{path} holds other bytes.") from error
            if locked:
                self._lock(path, locked)

    def _lock(self, path: str, locked: dict[str, Any]) -> None:
        """See to it that the same bytes, which somebody put before, are locked as well, and for as long; a lock is never made shorter."""
        with _told(self.bucket):
            key, until = self.prefix + path, locked["ObjectLockRetainUntilDate"]
            found = self.client.head_object(Bucket=self.bucket, Key=key)
            date = found.get("ObjectLockRetainUntilDate")
            if found.get("ObjectLockMode") != LOCK_MODE or date is None or date < until - SHORTER:
                kept: Any = {"Mode": LOCK_MODE, "RetainUntilDate": max(until, date or until)}
                self.client.put_object_retention(Bucket=self.bucket, Key=key, Retention=kept)

    def _get(self, path: str) -> tuple[bytes, str] | None:
        with _told(self.bucket):
            try:
                found = self.client.get_object(Bucket=self.bucket, Key=self.prefix + path)
            except ClientError as error:
                if _code(error) in MISSING:
                    return None
                raise
            return self._body(path, found), found["ETag"]

    def _body(self, path: str, found: "GetObjectOutputTypeDef") -> bytes:
        body, length = (
            found["Body"],
            found.get("ContentLength", self.most),
        )  # a server that says none is cut off all the same
        if length > self.most:
            body.close()
            raise StoreUnavailable(f"{path} has more than {self.most} bytes.")
        with _ending(body, self.patience_s + length / PACE):
            data = body.read() if "ContentLength" in found else body.read(self.most + 1)
        if len(data) > self.most:
            raise StoreUnavailable(f"{path} has more than {self.most} bytes.")
        return data

    def _write(self, path: str, data: bytes, **more: Any) -> None:
        with _told(self.bucket):
            try:
                self.client.put_object(
                    Bucket=self.bucket, Key=self.prefix + path, Body=data, ContentType=TYPES[path == self.head],
                    ChecksumAlgorithm="SHA256", **more,
                )  # fmt: skip
            except ClientError as error:
                if _code(error) in FAILED:
                    raise _Refused from error
                raise


class _Refused(Exception):
    """The condition of a write did not hold."""


@contextmanager
def _ending(body: "StreamingBody", within_s: float) -> Iterator[None]:
    """When the time is over, whoever reads waits for no further byte."""

    def end() -> None:
        with suppress(AttributeError, OSError):  # it has come to its end
            body.set_socket_timeout(0.001)

    timer = Timer(within_s, end)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _check_passes(folder: str) -> None:
    if not folder.endswith(".p"):
        raise ValueError(f"{folder} holds no partial resources.")


def connect(
    bucket: str,
    prefix: str,
    retain_days: int,
    *,
    endpoint: str | None,
    region: str | None,
    head: str = HEAD,
    most: int = MOST_BYTES,
) -> BucketStore:
    """The store; who we are comes from the environment, as boto3 finds it. Nothing is asked yet."""
    config = Config(
        connect_timeout=3,
        read_timeout=10,
        retries={"max_attempts": 2, "mode": "standard"},
        max_pool_connections=AT_ONCE,
    )
    try:
        with _told(bucket):
            client = boto3.client("s3", endpoint_url=endpoint, region_name=region, config=config)
    except ValueError:
        raise ValueError("The endpoint is no address of a server.") from None
    return BucketStore(client, bucket, f"{prefix.strip('/')}/" if prefix.strip("/") else "", retain_days, head, most)


def _is_partial(path: str) -> bool:
    return path.rpartition("/")[0].endswith(".p")


def _code(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", ""))


@contextmanager
def _told(bucket: str) -> Iterator[None]:
    try:
        yield
    except (ClientError, BotoCoreError) as error:
        name = spoken(bucket)
        said = (
            f"answers {spoken(_code(error))}"
            if isinstance(error, ClientError)
            else f"does not answer ({type(error).__name__})"
        )
        raise StoreUnavailable(f"The bucket {name} {said}.") from error
