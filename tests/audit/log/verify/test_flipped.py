"""One flipped bit anywhere in a published log never verifies, and the file that holds it is named."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audit.log.signing import SignerKey
from audit.log.verify.check import Wanted, check
from audit.log.verify.sources import Folder
from tests.audit.log.verify.published import published


@pytest.fixture(scope="module")
def folder(signer: SignerKey, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return published(signer, tmp_path_factory.mktemp("log"), 600)


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_each_flipped_bit_is_found_in_its_file(folder: Path, signer: SignerKey, data: st.DataObject) -> None:
    files = sorted(each for each in folder.rglob("*") if each.is_file())
    path = data.draw(st.sampled_from(files))
    sound = path.read_bytes()
    place, bit = data.draw(st.integers(0, len(sound) - 1)), data.draw(st.integers(0, 7))
    path.write_bytes(sound[:place] + bytes([sound[place] ^ (1 << bit)]) + sound[place + 1 :])
    try:
        verdict, _ = check(Folder(folder), Wanted([signer.verifier()]))
    finally:
        path.write_bytes(sound)
    assert {damage.path for damage in verdict.damages} == {str(path.relative_to(folder))}
