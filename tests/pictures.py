"""``python -m tests.pictures``: draws the cards of ``docs/desk.md`` as they look in a chat, from cards of the running program."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw, ImageFont

from bot.clock import MovedClock
from bot.sandbox.bot_api import BotApiServer
from bot.sandbox.smtp import SmtpSink
from tests.fakes import WordReader
from tests.world import DEPUTY, DPO, World, mail, make_mailbox, paris

DOCS = Path(__file__).parent.parent / "docs"
WIDTH, MARGIN, LINE, SIZE = 528, 14, 20, 15
PAGE, BUBBLE, BUTTON, INK = (213, 227, 238), (255, 255, 255), (127, 161, 188), (20, 20, 20)
MAILS = {
    "fr": (
        "Jean-Luc Petit <jlp@boite.example>",
        "STOP",
        "Bonjour, arrêtez vos publicités, je n'ai jamais rien demandé.",
    ),
    "en": ("John Rock <john@box.example>", "STOP", "Hello, please stop your newsletter, I never asked for it."),
}


def card_of(language: str) -> tuple[str, list[list[str]]]:
    """Play a morning with invented people and return its card: the text and the buttons."""
    clock = MovedClock(paris("2026-03-02 08:05"))
    users = [
        {"key": "dpo", "name": "Claude Martinez", "role": "dpo", "telegram_id": DPO},
        {"key": "deputy", "name": "Adjointe", "role": "deputy", "telegram_id": DEPUTY},
    ]
    with (
        tempfile.TemporaryDirectory() as folder, make_mailbox() as mailbox, SmtpSink() as sink,
        BotApiServer(now=clock.now) as chat,
    ):  # fmt: skip
        for user in (DPO, DEPUTY):
            chat.add_chat(user)
        world = World(
            Path(folder) / "data", mailbox=mailbox, sink=sink, chat=chat, clock=clock,
            desk={"users": users, "language": language},
        )  # fmt: skip
        world.app.load_reader = WordReader
        sender, subject, body = MAILS[language]
        world.arrive(mail(body, sender=sender, subject=subject))
        card = world.card()
        world.app.close()
    return card.text, [[label for label, _ in row] for row in card.buttons]


def font(size: int, *, bold: bool = False) -> Any:
    """A font that most Linux systems have."""
    name = "Bold" if bold else "Regular"
    for path in (
        f"/usr/share/fonts/truetype/liberation/LiberationSans-{name}.ttf",
        f"DejaVuSans{'-Bold' if bold else ''}.ttf",
    ):
        try:
            return ImageFont.truetype(path, size)
        except OSError:
            continue
    return ImageFont.load_default(size)


def wrapped(text: str, face: Any, width: int) -> list[str]:
    """Break lines at words."""
    lines = []
    for paragraph in text.split("\n"):
        line = ""
        for word in paragraph.split(" "):
            tried = f"{line} {word}" if line else word
            if line and face.getlength(tried) > width:
                lines.append(line)
                line = word
            else:
                line = tried
        lines.append(line)
    return lines


def draw(text: str, buttons: list[list[str]], to: Path) -> None:
    """Draw a card with its buttons."""
    face, bold, small = font(SIZE), font(SIZE, bold=True), font(13, bold=True)
    lines = wrapped(text, face, WIDTH - 2 * MARGIN - 26)
    bubble = LINE * (len(lines) + 1) + 20
    image = Image.new("RGB", (WIDTH, bubble + MARGIN * 2 + 39 * len(buttons)), PAGE)
    pen = ImageDraw.Draw(image)
    pen.rounded_rectangle((MARGIN, MARGIN, WIDTH - MARGIN, MARGIN + bubble), 12, fill=BUBBLE)
    pen.text((MARGIN + 13, MARGIN + 10), "dpobot", font=bold, fill=(90, 130, 160))
    for index, line in enumerate(lines, start=1):
        pen.text((MARGIN + 13, MARGIN + 12 + LINE * index), line, font=face, fill=INK)
    top = MARGIN + bubble + 4
    for row in buttons:
        wide = (WIDTH - 2 * MARGIN - 4 * (len(row) - 1)) / len(row)
        for place, label in enumerate(row):
            left = MARGIN + place * (wide + 4)
            pen.rounded_rectangle((left, top, left + wide, top + 35), 7, fill=BUTTON)
            pen.text((left + wide / 2, top + 17), label, font=small, fill=BUBBLE, anchor="mm")
        top += 39
    image.save(to, optimize=True)


def main() -> None:
    """Draw the French and the English card."""
    for language, name in (("fr", "card.png"), ("en", "card.en.png")):
        draw(*card_of(language), DOCS / name)


if __name__ == "__main__":
    main()
