"""Two cards give the password and one gives nothing; what does not fit together is told apart, and needs no server to be told."""

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from shamir_mnemonic import EncryptedMasterSecret, Share, shamir

from portal import offline_card
from portal.offline_card import Card, DamagedCard, OtherAccount, OtherSet, SameCard, combine, make, read

ROOT = Path(offline_card.__file__).parents[1]


def pair_of(
    account: str = "account-1", number: int = 3, login: str = "shop_offline"
) -> tuple[Card, Card, offline_card.Pair]:
    return make(account=account, system="shop", login=login, where="db.example:5432/shop", number=number)


@pytest.mark.parametrize("by", ["qr", "words"])
@pytest.mark.parametrize("turned", [False, True])
def test_both_cards_in_either_order_give_the_password(by: str, turned: bool) -> None:
    first, second, pair = pair_of()
    texts = [card.qr() if by == "qr" else card.words for card in (first, second)]
    got = combine(*(read(text) for text in (reversed(texts) if turned else texts)))
    assert (got.password, got.drill_code) == (pair.password, pair.drill_code)
    assert len(pair.password) == 28
    assert got.login == ("shop_offline" if by == "qr" else "")


def test_every_pair_is_another() -> None:
    assert len({pair_of()[2].password for _ in range(20)}) == 20


@given(st.binary(min_size=32, max_size=32), st.binary(min_size=32, max_size=32), st.sampled_from([0, 1]))
def test_one_card_alone_reveals_nothing(one: bytes, other: bytes, held: int) -> None:
    """Whatever the secret, the card could be that of any other: all but its four bytes of checksum are the same for a fitting draw of chance,
    and those four are a digest keyed by that draw."""
    card = _split(one)[held]
    locked = EncryptedMasterSecret.from_master_secret(other, b"", 5, extendable=True, iteration_exponent=0)
    points = [shamir.RawShare(card.index, card.value), shamir.RawShare(shamir.SECRET_INDEX, locked.ciphertext)]
    chance = shamir._interpolate(points, shamir.DIGEST_INDEX)[shamir.DIGEST_LENGTH_BYTES :]
    again = _split(other, chance)[held]
    assert again.value[4:] == card.value[4:]
    assert len(card.value) == 32


def _split(master: bytes, chance: bytes | None = None) -> list[Share]:
    locked = EncryptedMasterSecret.from_master_secret(master, b"", 5, extendable=True, iteration_exponent=0)
    with pytest.MonkeyPatch.context() as changed:
        if chance is not None:
            changed.setattr(shamir, "RANDOM_BYTES", lambda count: chance[:count])
        return sorted(shamir.split_ems(1, [(2, 2)], locked)[0], key=lambda share: share.index)


def test_same_card_twice_is_told() -> None:
    first, _, _ = pair_of()
    with pytest.raises(SameCard, match="card A of set 3"):
        combine(first, read(first.words))


def test_card_of_an_older_set_is_told() -> None:
    _, old, _ = pair_of(number=2)
    new, _, _ = pair_of(number=3)
    for texts in ((new.qr(), old.qr()), (new.words, old.words)):
        with pytest.raises(OtherSet, match="card B of set 2"):
            combine(*map(read, texts))


def test_card_of_another_account_is_told() -> None:
    mine, _, _ = pair_of("account-1")
    _, other, _ = pair_of("account-2", login="mail_offline")
    for texts in ((mine.qr(), other.qr()), (mine.words, other.words)):
        with pytest.raises(OtherAccount):
            combine(*map(read, texts))


def test_share_of_another_draw_of_the_same_set_gives_no_password() -> None:
    first, _, _ = pair_of()
    _, other, _ = pair_of()
    with pytest.raises(DamagedCard, match="do not fit"):
        combine(first, other)


@given(st.data())
def test_damaged_qr_is_never_taken_for_another_card(data: st.DataObject) -> None:
    text = CARD.qr()
    place = data.draw(st.integers(0, len(text) - 1))
    letter = data.draw(st.characters(min_codepoint=32, max_codepoint=126))
    assume(letter != text[place])
    damaged = text[:place] + letter + text[place + 1 :]
    assume(damaged.strip() != text)
    with pytest.raises(DamagedCard):
        read(damaged)


@given(st.data())
def test_up_to_three_wrong_words_are_always_seen(data: st.DataObject) -> None:
    words = CARD.words.split()
    for place in data.draw(st.sets(st.integers(0, len(words) - 1), min_size=1, max_size=3)):
        words[place] = data.draw(st.sampled_from([word for word in WORDS if word != words[place]]))
    with pytest.raises(DamagedCard):
        read(" ".join(words))


@given(st.text(max_size=300))
def test_any_text_is_a_card_or_refused(text: str) -> None:
    with pytest.raises(DamagedCard):
        read(text)


CARD = pair_of()[0]
WORDS = sorted(set(" ".join(card.words for _ in range(30) for card in pair_of()[:2]).split()))


def test_command_needs_neither_server_nor_database_nor_django() -> None:
    first, second, pair = pair_of()
    code = (
        "import sys; from portal.offline_card import run; lines = iter(sys.stdin.read().splitlines());"
        "status = run(sys.argv[1:], lambda _: next(lines), print); assert 'django' not in sys.modules; sys.exit(status)"
    )

    def command(*arguments: str, cards: tuple[str, str]) -> subprocess.CompletedProcess[str]:
        run = [sys.executable, "-c", code, *arguments]
        return subprocess.run(
            run, cwd=ROOT, input="\n".join(cards), capture_output=True, text=True, env={"PATH": "/usr/bin"}, check=False
        )

    done = command(cards=(first.qr(), second.words))
    assert (done.returncode, done.stderr) == (0, "")
    assert f"Password: {pair.password}" in done.stdout
    drill = command("--drill", cards=(first.words, second.words))
    assert pair.drill_code in drill.stdout
    assert pair.password not in drill.stdout
    wrong = command(cards=(first.qr(), first.qr()))
    assert (wrong.returncode, pair.password in wrong.stdout) == (1, False)
