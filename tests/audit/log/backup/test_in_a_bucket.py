"""Backups into a bucket: made, made again, restored, and passing, against moto's server over HTTP."""

import uuid
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from audit.log.append import clock
from audit.log.backup.passing import Keeping
from audit.log.backup.target import BACKUPS, DAY_MS
from audit.log.checkpoints import latest
from tests.audit.log.backup.places import Place, empty_database, place, whole, working_in
from tests.audit.log.logged import sealed
from tests.audit.log.stores.test_bucket import client, endpoint

if TYPE_CHECKING:
    from mypy_boto3_s3.client import S3Client

__all__ = ["client", "endpoint"]
pytestmark = pytest.mark.django_db(transaction=True)
AT = 1_790_000_000_000


@pytest.fixture
def bucket(client: "S3Client") -> str:
    name = f"backups-{uuid.uuid4().hex[:8]}"
    client.create_bucket(Bucket=name, ObjectLockEnabledForBucket=True)
    client.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
    return name


@pytest.fixture
def backups(bucket: str, endpoint: str, tmp_path: Path) -> Place:
    return place(tmp_path, f"s3://{bucket}/portal/?region=us-east-1&endpoint={endpoint}&retain_days=30")


def test_the_second_of_two_is_restored_whole(backups: Place) -> None:
    sealed(300)
    backups.backup()
    sealed(20)
    made = backups.backup()
    last, before = latest(), whole()
    with empty_database() as empty:
        done = backups.restore_command(empty)
        assert done.returncode == 4, done.stderr  # without a published log nobody can say what is missing
        assert f"{made.size} entries, root {made.root}" in done.stdout
        with working_in(empty):
            assert (latest(), whole()) == (last, before)


def test_what_passed_is_gone_in_all_of_its_versions(backups: Place, bucket: str, client: "S3Client") -> None:
    sealed(3)
    for day in (0, 9):
        with clock(lambda day=day: AT + day * DAY_MS):  # type: ignore[misc]  # the day of this turn
            made = backups.backup(Keeping(keep_days=7, erasure_days=30))
    found = client.list_object_versions(Bucket=bucket, Prefix=f"portal/{BACKUPS}/")
    left = {each["Key"].split("/")[2] for each in (*found.get("Versions", []), *found.get("DeleteMarkers", []))}
    assert left == {f"{made.id}.p"}
