"""Two cards give the password and one gives nothing; what does not fit together is told apart, and needs no server to be told."""

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from shamir_mnemonic import EncryptedMasterSecret, Share, shamir

from portal import offline_card
from portal.offline_card import (
    ALPHABET,
    Card,
    DamagedCard,
    MistypedQuestion,
    NotOnePair,
    OtherAccount,
    OtherSet,
    SameCard,
    answer_to,
    combine,
    make,
    new_question,
    read,
    read_question,
)

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
    assert (got.password, got.drill_key) == (pair.password, pair.drill_key)
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


@pytest.mark.parametrize(("older", "newer"), [(2, 3), (31, 32), (32, 33), (31, 34), (1, 33)])
def test_card_of_an_older_set_is_told(older: int, newer: int) -> None:
    """Words count sets only up to 32 and then anew, so they never say which of two is the newer one."""
    _, old, _ = pair_of(number=older)
    new, _, _ = pair_of(number=newer)
    with pytest.raises(OtherSet, match=f"card B of set {older} for .* no longer works with card A of set {newer}"):
        combine(read(new.qr()), read(old.qr()))
    for texts in ((new.words, old.words), (new.qr(), old.words), (new.words, old.qr())):
        with pytest.raises(NotOnePair if newer - older == 32 else OtherSet) as told:
            combine(*map(read, texts))
        assert ("se both cards of the newest set." in str(told.value), "no longer" in str(told.value)) == (True, False)


def test_number_that_words_tell_is_told_as_far_as_they_do() -> None:
    card = pair_of(number=33)[0]
    assert (read(card.qr()).named, read(card.words).named) == (
        "card A of set 33 for shop_offline on shop",
        "card A of set 1 (or 33, 65 …)",
    )
    assert read(pair_of(number=32)[0].words).number == 32


def test_card_of_another_account_is_told() -> None:
    mine, _, _ = pair_of("account-1")
    _, other, _ = pair_of("account-2", login="mail_offline")
    for texts in ((mine.qr(), other.qr()), (mine.words, other.words)):
        with pytest.raises(OtherAccount):
            combine(*map(read, texts))


@given(
    number=st.integers(1, 200), turns=st.integers(0, 3), letters=st.sampled_from(["AB", "BA"]),
    one=st.sampled_from(["qr", "words"]), other=st.sampled_from(["qr", "words"]),
)  # fmt: skip
def test_two_whole_cards_that_are_of_no_pair_are_never_called_damaged(
    number: int, turns: int, letters: str, one: str, other: str
) -> None:
    """Sets that words cannot tell apart, and two draws of one set: told apart where the cards say it, and else what it can be is said."""
    mine = dict(zip("AB", pair_of(number=number)[:2], strict=True))[letters[0]]
    theirs = dict(zip("AB", pair_of(number=number + 32 * turns)[:2], strict=True))[letters[1]]
    texts = [card.qr() if by == "qr" else card.words for card, by in ((mine, one), (theirs, other))]
    whole = (one, other) == ("qr", "qr")
    with pytest.raises(OtherSet if whole and turns else NotOnePair) as told:
        combine(*map(read, texts))
    said = str(told.value)
    assert ("made twice" in said, "words look alike" in said) == ((turns == 0, False) if whole else (True, True))


def test_two_accounts_that_words_cannot_tell_apart_are_not_called_damaged() -> None:
    """Ten bits stand for the account, so some two look alike on paper; their QR codes say it."""
    first, _, _ = pair_of("account-1")
    twin = next(name for name in map(str, range(100_000)) if offline_card._tag(name) == first.tag)
    _, second, _ = pair_of(twin, login="mail_offline")
    with pytest.raises(OtherAccount):
        combine(read(first.qr()), read(second.qr()))
    with pytest.raises(NotOnePair, match="two accounts"):
        combine(read(first.words), read(second.words))


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


# --- drills


def test_answer_differs_each_time_and_needs_both_cards() -> None:
    """It follows from question and key; the key from all 32 bytes, which no card has, as the password does, and neither from the other."""
    _, _, pair = pair_of()
    questions = {new_question() for _ in range(50)}
    answers = {answer_to(each, pair.drill_key) for each in questions}
    assert (len(questions), len(answers)) == (50, 50)
    assert answer_to(min(questions), pair_of()[2].drill_key) not in answers
    assert pair.password not in "".join(answers)


@given(st.data())
def test_slip_of_the_finger_in_a_question_is_always_seen(data: st.DataObject) -> None:
    asked = new_question()
    assert read_question(f" {asked[:5].upper()}-{asked[5:]} ") == asked
    place = data.draw(st.integers(0, 7))
    letter = data.draw(st.sampled_from([each for each in ALPHABET if each != asked[place]]))
    turned = asked[:place] + asked[place : place + 2][::-1] + asked[place + 2 :]
    for slipped in (asked[:place] + letter + asked[place + 1 :], turned if place < 7 else "", asked[1:]):
        if slipped != asked:
            with pytest.raises(MistypedQuestion):
                read_question(slipped)


@given(st.text(max_size=20))
def test_any_text_is_a_question_or_refused(text: str) -> None:
    with pytest.raises(MistypedQuestion):
        read_question(text)


def said_by(*cards: str, question: str = "") -> tuple[int, str]:
    """What the command says to these cards, in a drill where there is a question: its exit status and all lines."""
    lines, said = iter([*cards, question]), list[object]()
    status = offline_card.run(["--drill"] if question else [], lambda _: next(lines), said.append)
    return status, "\n".join(map(str, said))


def other_words() -> str:
    """Words of another secret, split for three people: whole, and no card."""
    locked = EncryptedMasterSecret.from_master_secret(bytes(32), b"", 5, extendable=True, iteration_exponent=0)
    return str(shamir.split_ems(1, [(3, 3)], locked)[0][0].mnemonic())


def test_command_tells_what_does_not_fit_and_gives_neither_password_nor_answer() -> None:
    """A share of something else, a card of another account, one of an older rotation, a damaged code, mistyped words, one card twice."""
    first, second, pair = pair_of(number=3)
    older = pair_of(number=2)[1]
    foreign = pair_of("account-2", login="mail_offline")[1]
    asked = new_question()
    told = {
        other_words(): "These are words of something else, not of a card.",
        foreign.qr(): "These cards belong to two accounts: card A of set 3 for shop_offline on shop, and card B of set 3 for mail_offline on shop.",
        older.qr(): "card B of set 2 for shop_offline on shop no longer works with card A of set 3",
        second.qr()[:-9]: "The QR code was not read whole.",
        second.qr().replace(second.words.split()[4], first.words.split()[4] + "x"): "The QR code was not read whole.",
        " ".join(reversed(second.words.split())): "The words do not add up",
        first.words: "That is card A of set 3 for shop_offline on shop twice.",
    }
    for card, expected in told.items():
        for question in ("", asked):
            status, said = said_by(first.qr(), card, question=question)
            assert (status, expected in said, "Neither password nor answer: " in said) == (1, True, True)
            assert not any(secret in said for secret in (pair.password, answer_to(asked, pair.drill_key)))


CARD = pair_of()[0]
WORDS = sorted(set(" ".join(card.words for _ in range(30) for card in pair_of()[:2]).split()))


def test_command_needs_neither_server_nor_database_nor_django() -> None:
    first, second, pair = pair_of()
    code = (
        "import sys; from portal.offline_card import run; lines = iter(sys.stdin.read().splitlines());"
        "status = run(sys.argv[1:], lambda _: next(lines), print); assert 'django' not in sys.modules; sys.exit(status)"
    )

    def command(*arguments: str, cards: tuple[str, ...]) -> subprocess.CompletedProcess[str]:
        run = [sys.executable, "-c", code, *arguments]
        return subprocess.run(
            run, cwd=ROOT, input="\n".join(cards), capture_output=True, text=True, env={"PATH": "/usr/bin"}, check=False
        )

    done = command(cards=(first.qr(), second.words))
    assert (done.returncode, done.stderr) == (0, "")
    assert f"Password: {pair.password}" in done.stdout
    asked = new_question()
    drill = command("--drill", cards=(first.words, second.words, asked))
    assert (drill.returncode, answer_to(asked, pair.drill_key) in drill.stdout) == (0, True)
    assert pair.password not in drill.stdout
    slipped = command("--drill", cards=(first.words, second.words, asked[1:]))
    assert (slipped.returncode, "letter by letter" in slipped.stdout) == (1, True)
    wrong = command(cards=(first.qr(), first.qr()))
    assert (wrong.returncode, pair.password in wrong.stdout) == (1, False)
