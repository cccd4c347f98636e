"""When the portal is dead: two printed cards give the password of an account. Needs no server, no database and no network.

    python -m portal.offline_card            asks for both cards, prints login and password
    python -m portal.offline_card --drill    asks for the portal's question too, prints only the answer that shows that both cards work

Each card holds one of two shares (SLIP-0039, 2 of 2) of 32 random bytes; the password is derived from all of them. A card is read from its
QR code (one line) or typed as its words. Where something does not fit, it is said which: a damaged card, the same card twice, cards of
two accounts, a card that was replaced. Words alone do not say all of that: then it is said what it can be.

A drill asks something else each time, so that nobody passes it from memory or from an old note. The portal keeps a key for that, derived from the 32
bytes by HMAC as the password is, and nothing else of them: neither a share nor the password follows from the key, and one card gives neither. What the
key is good for is answering drills, so whoever can read the portal's database and its keys could pass one without cards, and still could not log in.

Python's own library and shamir-mnemonic are all that this file imports.
"""

import getpass
import hashlib
import hmac
import re
import secrets
import sys
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from shamir_mnemonic import EncryptedMasterSecret, MnemonicError, Share, combine_mnemonics, split_ems

HEAD, MARK = "BGC1", "|"
MASTER_BYTES = 32
ALPHABET = "abcdefghijkmnpqrstuvwxyz23456789"  # 32 letters that are not taken for one another
LENGTH = 28  # times 5 bits: 140
QUESTION = 10  # letters
SETS = 32  # the words carry the number of their set modulo this
LETTERS = "AB"
NUMBER = re.compile(r"[1-9][0-9]{0,8}", re.ASCII)


class CardError(ValueError):
    """The cards give no password; the text says why and what to do."""


class DamagedCard(CardError):
    """Something on the card was misread, mistyped or has faded."""


class SameCard(CardError):
    """One card alone reveals nothing."""


class OtherAccount(CardError):
    """The cards belong to two accounts."""


class OtherSet(CardError):
    """One of the cards was replaced."""


class NotOnePair(CardError):
    """Both are whole, and nothing that stands on them says why they do not belong together: the text says what it can be."""


class MistypedQuestion(CardError):
    """It is not what the portal asks."""


@dataclass(frozen=True)
class Card:
    """One card. What is not in its words is empty where only the words were typed. ``tag`` is told by the words too, and ``number`` up to a multiple
    of `SETS`: then it is the smallest that it can be."""

    words: str = field(repr=False)
    letter: str
    tag: int
    number: int
    system: str = ""
    login: str = ""
    where: str = ""

    def qr(self) -> str:
        """The line that the QR code holds, with a checksum over all of it."""
        said = MARK.join((HEAD, self.system, self.login, self.where, str(self.number), self.letter, self.words))
        return f"{said}{MARK}{zlib.crc32(said.encode()):08x}"

    @property
    def from_words(self) -> bool:
        """Whether only its words were typed."""
        return not self.login

    @property
    def named(self) -> str:
        """How people call it."""
        others = f" (or {self.number + SETS}, {self.number + 2 * SETS} …)"
        more = others if self.from_words else f" for {self.login} on {self.system}"
        return f"card {self.letter} of set {self.number}{more}"


@dataclass(frozen=True)
class Pair:
    """What two cards give. ``drill_key`` answers the portal's questions in drills; nothing of the password follows from it."""

    login: str
    system: str
    where: str
    number: int
    password: str = field(repr=False)
    drill_key: bytes = field(default=b"", repr=False)


def make(*, account: str, system: str, login: str, where: str, number: int) -> tuple[Card, Card, Pair]:
    """Two new cards and what they give. ``account`` names the account for ever; ``number`` counts its sets from 1."""
    master = secrets.token_bytes(MASTER_BYTES)
    identifier = _tag(account) * SETS + number % SETS
    locked = EncryptedMasterSecret.from_master_secret(master, b"", identifier, extendable=True, iteration_exponent=0)
    shares = split_ems(1, [(2, 2)], locked)[0]
    cards = [
        Card(share.mnemonic(), letter, _tag(account), number, system, login, where)
        for letter, share in zip(LETTERS, shares, strict=True)
    ]
    return cards[0], cards[1], _pair(master, cards[0])


def read(text: str) -> Card:
    """One card from its QR code's line, or from its words.

    Raises:
        DamagedCard: it is neither, whole.
    """
    text = text.strip()
    if MARK not in text:
        return _from_words(text)
    said, _, check = text.rpartition(MARK)
    parts = said.split(MARK)
    if (
        len(parts) != 7
        or parts[0] != HEAD
        or check != f"{zlib.crc32(said.encode()):08x}"
        or not NUMBER.fullmatch(parts[4])
        or not (parts[1] and parts[2])  # without a login it would pass for typed words
    ):
        raise DamagedCard("The QR code was not read whole. Read it again, or type the words of the card.")
    _, system, login, where, number, letter, words = parts
    found = _from_words(words)
    if found.letter != letter or found.number % SETS != int(number) % SETS:
        raise DamagedCard("The QR code and its words do not fit. Type the words of the card.")
    return Card(found.words, letter, found.tag, int(number), system, login, where)


def _from_words(text: str) -> Card:
    words = " ".join(text.lower().split())
    try:
        share = Share.from_mnemonic(words)
    except (MnemonicError, ValueError, KeyError):
        raise DamagedCard(
            "The words do not add up: one is wrong, missing, or in the wrong place. Compare them with the card."
        ) from None
    if (share.member_threshold, share.group_count) != (2, 1) or share.index >= len(LETTERS):
        raise DamagedCard("These are words of something else, not of a card.")
    tag, number = divmod(share.identifier, SETS)
    return Card(words, LETTERS[share.index], tag, number or SETS)


def combine(first: Card, second: Card) -> Pair:
    """What both cards give together, in either order.

    Raises:
        SameCard, OtherAccount, OtherSet, NotOnePair: they do not belong together; the text says how.
    """
    if first.tag != second.tag or _differ(first.login, second.login) or _differ(first.system, second.system):
        raise OtherAccount(
            f"These cards belong to two accounts: {first.named}, and {second.named}. Fetch the other custodian's card."
        )
    if first.number % SETS != second.number % SETS or (
        first.number != second.number and not first.from_words and not second.from_words
    ):
        raise OtherSet(_of_two_sets(first, second))
    if first.letter == second.letter:
        raise SameCard(f"That is {first.named} twice. One card alone reveals nothing; the other custodian's is needed.")
    try:
        master = combine_mnemonics([first.words, second.words])
    except MnemonicError:
        raise NotOnePair(_not_one_pair(first, second)) from None
    return _pair(master, first if first.login else second)


def _of_two_sets(first: Card, second: Card) -> str:
    """Which of them is the newer one is said only where both numbers are known whole: words alone count anew after `SETS`."""
    if first.from_words or second.from_words:
        return f"One card was replaced: {first.named}, and {second.named}. Use both cards of the newest set."
    older, newer = sorted((first, second), key=lambda card: card.number)
    return f"One card was replaced: {older.named} no longer works with {newer.named}. Use both cards of the newest set."


def _not_one_pair(first: Card, second: Card) -> str:
    """Each card's own checksum fits, so neither was misread. What words leave open is named; where both QR lines were read there is one answer left."""
    said = f"Both cards are whole, and are not of one pair: {first.named}, and {second.named}."
    made_again = f"a set {first.number} was made twice, as after the portal was restored from a backup, and these are of two of them"
    if not (first.from_words or second.from_words):
        return f"{said} It can only be that {made_again}. Use the two that were printed last."
    return (
        f"{said} Either one of them was replaced, since words look alike for sets that are {SETS} apart; or they belong to two accounts, since words tell"
        f" only some accounts apart; or {made_again}. Read the QR codes, or compare account, set and date on both cards, and use both cards of the newest set."
    )


def _differ(one: str, other: str) -> bool:
    """Only what both of them say can differ."""
    return bool(one and other and one != other)


def _pair(master: bytes, card: Card) -> Pair:
    return Pair(
        card.login,
        card.system,
        card.where,
        card.number,
        _letters(master, "password", LENGTH),
        hmac.digest(master, _use("drill key"), hashlib.sha256),
    )


def _use(name: str) -> bytes:
    return f"breakglass offline card 1: {name}".encode()


def _letters(key: bytes, use: str, count: int) -> str:
    """As many letters as are asked for, each of 5 bits, by HMAC-SHA-256: what is told for one use says nothing about the other."""
    number = int.from_bytes(hmac.digest(key, _use(use), hashlib.sha256), "big")
    return "".join(ALPHABET[(number >> (5 * place)) & 31] for place in range(count))


# --- drills


def new_question() -> str:
    """What the portal asks in one drill: random, with two letters that show a slip of the finger."""
    asked = "".join(secrets.choice(ALPHABET) for _ in range(QUESTION - 2))
    return asked + _check_of(asked)


def read_question(text: str) -> str:
    """What the custodians typed of it.

    Raises:
        MistypedQuestion: it is none.
    """
    typed = "".join(text.lower().replace("-", " ").split())
    if len(typed) != QUESTION or set(typed) - set(ALPHABET) or _check_of(typed[:-2]) != typed[-2:]:
        raise MistypedQuestion(
            "That is not a question of the portal. Compare it with the account's page, letter by letter."
        )
    return typed


def answer_to(question: str, drill_key: bytes) -> str:
    """What only both cards together, or the portal, can say to it."""
    return _letters(drill_key, f"drill {question}", 8)


def _check_of(asked: str) -> str:
    """Two sums: one wrong letter always changes the first, two neighbours that changed places the second."""
    values = [ALPHABET.index(letter) for letter in asked]
    weighted = sum(place * value for place, value in enumerate(values, 1))
    return ALPHABET[sum(values) % 32] + ALPHABET[weighted % 32]


def _tag(account: str) -> int:
    """Ten bits that tell accounts apart on paper."""
    return int.from_bytes(hashlib.sha256(account.encode()).digest()[:2], "big") >> 6


def run(arguments: Sequence[str], ask: Callable[[str], str], say: Callable[[str], object]) -> int:
    """The command: two cards in, a password or the answer of a drill out. Returns the exit status."""
    if any(each not in ("--drill",) for each in arguments):
        say(__doc__ or "")
        return 2
    try:
        first = read(ask("First card, QR line or words (nothing is shown): "))
        say(f"Read {first.named}.")
        second = read(ask("Second card, QR line or words: "))
        say(f"Read {second.named}.")
        pair = combine(first, second)
        if "--drill" in arguments:
            answer = answer_to(read_question(ask("The portal's question, from the account's page: ")), pair.drill_key)
            say(f"Both cards work. Answer: {answer}")
            return 0
    except CardError as error:
        say(f"Neither password nor answer: {error}")
        return 1
    say(
        f"Login:    {pair.login or 'as printed on the card'}\nWhere:    {pair.where or 'as printed on the card'}\nPassword: {pair.password}"
    )
    say(
        "Write down when you began and what you did. Declare the use in the portal as soon as it is back; then new cards are made."
    )
    return 0


if __name__ == "__main__":
    sys.exit(run(sys.argv[1:], getpass.getpass, print))
