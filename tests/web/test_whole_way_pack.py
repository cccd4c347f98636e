"""An auditor chooses a period, watches the pack being made, and takes the signed PDF away."""

import hashlib
from datetime import date, timedelta
from pathlib import Path

import pikepdf
import pytest
from playwright.sync_api import Browser, expect

from tests.faults.whole import House
from tests.web.walking import Walker, is_signed, pages_of, picture, picture_of_page, walking

pytestmark = pytest.mark.browser
PURPOSE = "Yearly audit of emergency access"
SYSTEMS = ("PostgreSQL primary, billing", "Mail gateway", "Payments API", "Data warehouse")


def test_pack_from_choosing_the_period_to_the_signed_pdf(browser: Browser, house: House, tmp_path: Path) -> None:
    with walking(browser, house, "rosa", accept_downloads=True) as rosa:
        ask(rosa)
        pdf = take(rosa, tmp_path / "pack.pdf")
        rosa.sees(hashlib.sha256(pdf).hexdigest())
        picture(rosa.page, "pack-page")
    says = pages_of(pdf)
    whole = " ".join(" ".join(says).split())
    for words in (*SYSTEMS, PURPOSE, "AICPA Trust Services Criteria", "ISO/IEC 27001", "It draws no audit conclusion"):
        assert words in whole, words
    with pikepdf.open(tmp_path / "pack.pdf") as paper:
        assert "facts.sqlite" in paper.attachments
    assert is_signed(pdf)
    picture_of_page(pdf, results_page(says), "pack")


def ask(rosa: Walker) -> None:
    """The quarter of the demo's past, all systems that were used then."""
    rosa.sign_in("/packs/new/")
    ((first,),) = rosa.house.rows("SELECT min(requested_at)::date FROM portal_accessrequest")
    begins = date.fromisoformat(str(first)) - timedelta(days=2)
    rosa.page.get_by_label("From").fill(f"{begins}")
    rosa.page.get_by_label("To", exact=True).fill(f"{begins + timedelta(days=91)}")
    for box in rosa.page.get_by_role("group", name="Systems").get_by_role("checkbox").all():
        box.uncheck()
    for system in SYSTEMS:
        rosa.page.get_by_label(system).check()
    rosa.page.get_by_label("Purpose").fill(PURPOSE)
    rosa.press("Make the pack")
    expect(rosa.page.get_by_role("heading", level=1)).to_contain_text("Evidence pack")


def take(rosa: Walker, file: Path) -> bytes:
    """The page goes on by itself until the pack is there."""
    button = rosa.page.get_by_role("button", name="Download the PDF")
    expect(rosa.page.get_by_role("progressbar").or_(button).first).to_be_visible(timeout=30_000)
    expect(button).to_be_visible(timeout=150_000)
    with rosa.page.expect_download() as download:
        button.click()
    download.value.save_as(file)
    return file.read_bytes()


def results_page(says: list[str]) -> int:
    """The page on which the results by SOC 2's criteria begin, counted from one."""
    begins = "\nResults by AICPA Trust Services Criteria\n"
    return next(number for number, page in enumerate(says, 1) if begins in page)
