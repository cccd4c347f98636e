"""What is printed is read back from the paper alone, by readers that are not ours: the words from its text, the QR code from its picture."""

import io
import re
import subprocess
from collections.abc import Sequence

import pytest
import zxingcpp
from PIL import Image, ImageDraw

from portal.offline_card import DamagedCard, Pair, answer_to, make, new_question, read
from portal.sealed.card_paper import pdf
from tests.portal.test_offline_card import said_by

NUMBERED = re.compile(r"(?<!\S)(\d{1,2}) +([a-z]+)(?!\S)")
DPI = 150  # less than any office machine scans


class Paper:
    """One printed card."""

    def __init__(self, made: bytes) -> None:
        self._pdf = made

    def words(self) -> str:
        """As somebody types them, by their numbers."""
        text = self._poppler("pdftotext", "-layout", "-", "-").decode()
        found = sorted((int(number), word) for number, word in NUMBERED.findall(text))
        assert [number for number, _ in found] == list(range(1, len(found) + 1))
        return " ".join(word for _, word in found)

    def scan(self) -> Image.Image:
        """The page as a picture in grey."""
        made = self._poppler("pdftoppm", "-png", "-r", str(DPI), "-singlefile", "-")
        return Image.open(io.BytesIO(made)).convert("L")

    def _poppler(self, *command: str) -> bytes:
        return subprocess.run(command, input=self._pdf, capture_output=True, check=True, timeout=60).stdout


def qr_of(picture: Image.Image) -> list[str]:
    return [each.text for each in zxingcpp.read_barcodes(picture)]


@pytest.fixture(scope="module")
def printed() -> tuple[Sequence[Paper], Pair]:
    *cards, pair = make(
        account="account-1", system="shop", login="shop_offline", where="db.example:5432/shop", number=3
    )
    papers = [Paper(pdf(card, system="The shop", custodian="Cleo")) for card in cards]
    return papers, pair


def test_two_printed_cards_give_the_password_by_picture_by_words_or_by_both(
    printed: tuple[Sequence[Paper], Pair],
) -> None:
    papers, pair = printed
    (first,), (second,) = (qr_of(paper.scan()) for paper in papers)
    words = [paper.words() for paper in papers]
    asked = new_question()
    for one, other in ((first, second), (second, first), (words[0], words[1]), (first, words[1]), (words[0], second)):
        status, said = said_by(one, other)
        assert (status, f"Password: {pair.password}" in said) == (0, True)
        assert said_by(one, other, question=asked)[1].endswith(f"Answer: {answer_to(asked, pair.drill_key)}")


def test_one_printed_card_gives_nothing_however_often_it_is_read(printed: tuple[Sequence[Paper], Pair]) -> None:
    papers, pair = printed
    asked = new_question()
    for paper in papers:
        (line,), words = qr_of(paper.scan()), paper.words()
        for one, other in ((line, line), (line, words), (words, words)):
            status, said = said_by(one, other, question=asked)
            assert (status, "One card alone reveals nothing" in said) == (1, True)
            assert (pair.password in said, answer_to(asked, pair.drill_key) in said) == (False, False)


def test_stained_code_is_read_and_a_torn_one_never_as_another_card(printed: tuple[Sequence[Paper], Pair]) -> None:
    """Up to a quarter of it mends itself (ISO/IEC 18004, level Q); of what is worse nothing is read, and the words are left."""
    papers, _ = printed
    scan = papers[0].scan()
    (line,) = qr_of(scan)
    (code,) = zxingcpp.read_barcodes(scan)
    corner, size = code.position.top_left, code.position.bottom_right.x - code.position.top_left.x
    for share, expected in ((0.3, [line]), (0.7, [])):
        damaged = scan.copy()
        middle = [corner.x + size * (1 - share) / 2, corner.y + size * (1 - share) / 2]
        ImageDraw.Draw(damaged).rectangle([*middle, *(each + size * share for each in middle)], fill=128)
        assert qr_of(damaged) == expected
    with pytest.raises(DamagedCard, match="type the words"):
        read(line[: len(line) // 2])
    assert said_by(papers[0].words(), papers[1].words())[0] == 0
