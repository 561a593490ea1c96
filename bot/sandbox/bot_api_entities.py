"""Message text as Telegram understands it: markup to plain text plus entities, and what becomes clickable by itself.

Pure functions for the strict local Bot API (:mod:`bot.sandbox.bot_api`). Offsets and lengths of entities count
UTF-16 code units, as in the Bot API. The detection of links, mentions, commands, hashtags and phone numbers is
deliberately wider than Telegram's (any ending of two letters counts as a top-level domain), so that what passes here
stays inert there.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

Entity = dict[str, Any]


class EntityError(Exception):
    """The markup is broken; the message says where, in the words of the real server."""


def utf16_length(text: str) -> int:
    """Count the UTF-16 code units of *text*: what Telegram's limits and offsets are made of."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


@dataclass
class _Span:
    """An entity while it is being read; positions count characters of the plain text."""

    kind: str
    start: int
    byte_offset: int
    tag: str = ""
    end: int = -1
    extra: dict[str, Any] = field(default_factory=dict)


HTML_TAGS = {
    "b": "bold",
    "strong": "bold",
    "i": "italic",
    "em": "italic",
    "u": "underline",
    "ins": "underline",
    "s": "strikethrough",
    "strike": "strikethrough",
    "del": "strikethrough",
    "code": "code",
    "pre": "pre",
    "blockquote": "blockquote",
    "tg-spoiler": "spoiler",
    "span": "spoiler",
    "a": "text_link",
    "tg-emoji": "custom_emoji",
}
HTML_CHARACTERS = {"lt": "<", "gt": ">", "amp": "&", "quot": '"'}
HTML_CHARACTER = re.compile(r"&(?:#(?P<decimal>\d{1,7})|#x(?P<hex>[0-9a-fA-F]{1,6})|(?P<name>lt|gt|amp|quot));?")
HTML_ATTRIBUTE = re.compile(r"""\s+([^\s=>"']+)(?:\s*=\s*("[^"]*"|'[^']*'|[^\s>"']+))?""")


def _html_character(match: re.Match[str]) -> str:
    if match["name"]:
        return HTML_CHARACTERS[match["name"]]
    code = int(match["decimal"]) if match["decimal"] else int(match["hex"], 16)
    return chr(code) if 0 < code < 0x110000 and not 0xD800 <= code < 0xE000 else match[0]


def parse_html(source: str) -> tuple[str, list[_Span]]:
    """Read Telegram's HTML dialect. Raises :class:`EntityError` for tags that are unknown, unclosed or crossed."""
    out: list[str] = []
    stack: list[_Span] = []
    spans: list[_Span] = []
    position = 0
    while position < len(source):
        character = source[position]
        if character == "&" and (match := HTML_CHARACTER.match(source, position)):
            out.append(_html_character(match))
            position = match.end()
            continue
        if character != "<":
            out.append(character)
            position += 1
            continue
        offset = len(source[:position].encode())
        if source.startswith("</", position):
            end = source.find(">", position)
            if not stack:
                raise EntityError(f"Unexpected end tag at byte offset {offset}")
            if end < 0:
                raise EntityError(f"Unclosed end tag at byte offset {offset}")
            name = source[position + 2 : end].strip().lower()
            span = stack.pop()
            if name and name != span.tag:
                raise EntityError(
                    f'Unmatched end tag at byte offset {offset}, expected "</{span.tag}>", found "</{name}>"'
                )
            span.end = len(out)
            spans.append(span)
            position = end + 1
        else:
            span, position = _html_start_tag(source, position, offset, len(out))
            if span.tag == "code" and stack and stack[-1].tag == "pre" and "language" in span.extra:
                stack[-1].extra["language"] = span.extra["language"]
            stack.append(span)
    if stack:
        raise EntityError(f'Can\'t find end tag corresponding to start tag "{stack[-1].tag}"')
    return "".join(out), spans


def _html_start_tag(source: str, position: int, offset: int, length: int) -> tuple[_Span, int]:
    match = re.compile(r"<([^\s>]*)").match(source, position)
    name = match[1].lower() if match else ""
    cursor = position + 1 + len(name)
    if cursor >= len(source):
        raise EntityError(f"Unclosed start tag at byte offset {offset}")
    if name not in HTML_TAGS:
        raise EntityError(f'Unsupported start tag "{name}" at byte offset {offset}')
    attributes: dict[str, str] = {}
    while found := HTML_ATTRIBUTE.match(source, cursor):
        attributes[found[1].lower()] = HTML_CHARACTER.sub(_html_character, (found[2] or "").strip("\"'"))
        cursor = found.end()
    while cursor < len(source) and source[cursor].isspace():
        cursor += 1
    if cursor >= len(source) or source[cursor] != ">":
        raise EntityError(f"Unclosed start tag at byte offset {offset}")
    span = _Span(HTML_TAGS[name], length, offset, tag=name)
    if name == "a":
        span.extra["url"] = attributes.get("href", "")
    elif name == "span" and attributes.get("class") != "tg-spoiler":
        raise EntityError(f'Tag "span" must have class "tg-spoiler" at byte offset {offset}')
    elif name == "code" and attributes.get("class", "").startswith("language-"):
        span.extra["language"] = attributes["class"].removeprefix("language-")
    elif name == "blockquote" and "expandable" in attributes:
        span.kind = "expandable_blockquote"
    elif name == "tg-emoji":
        span.extra["custom_emoji_id"] = attributes.get("emoji-id", "")
    return span, cursor + 1


MARKDOWN_RESERVED = set("_*[]()~`>#+-=|{}.!")
MARKDOWN_MARKS = {
    "__": ("underline", "Underline"),
    "||": ("spoiler", "Spoiler"),
    "*": ("bold", "Bold"),
    "_": ("italic", "Italic"),
    "~": ("strikethrough", "Strikethrough"),
}
MARKDOWN_NAMES = dict(MARKDOWN_MARKS.values()) | {
    "text_link": "TextUrl",
    "code": "Code",
    "pre": "Pre",
    "blockquote": "BlockQuote",
}


def parse_markdown(source: str) -> tuple[str, list[_Span]]:
    """Read MarkdownV2. Raises :class:`EntityError` for reserved characters left bare and for marks left open."""
    out: list[str] = []
    stack: list[_Span] = []
    spans: list[_Span] = []
    position = 0

    def offset() -> int:
        return len(source[:position].encode())

    def close(span: _Span) -> None:
        span.end = len(out)
        spans.append(span)

    while position < len(source):
        character = source[position]
        line_start = position == 0 or source[position - 1] == "\n"
        if line_start and stack and stack[-1].kind == "blockquote" and character != ">":
            close(stack.pop())
        mark = next((mark for mark in MARKDOWN_MARKS if source.startswith(mark, position)), None)
        if character == "\\" and position + 1 < len(source) and 0 < ord(source[position + 1]) < 127:
            out.append(source[position + 1])
            position += 2
        elif character == "`":
            position = _markdown_code(source, position, out, spans)
        elif character == ">" and line_start:
            if not (stack and stack[-1].kind == "blockquote"):
                stack.append(_Span("blockquote", len(out), offset()))
            position += 1
        elif mark:
            kind = MARKDOWN_MARKS[mark][0]
            if stack and stack[-1].kind == kind:
                close(stack.pop())
            else:
                stack.append(_Span(kind, len(out), offset()))
            position += len(mark)
        elif character == "[" or source.startswith("![", position):
            stack.append(_Span("text_link", len(out), offset()))
            position += 1 if character == "[" else 2
        elif character == "]" and stack and stack[-1].kind == "text_link":
            match = re.compile(r"\]\(((?:[^)\\]|\\.)*)\)").match(source, position)
            if not match:
                raise EntityError(f"Can't find end of a URL at byte offset {offset()}")
            stack[-1].extra["url"] = re.sub(r"\\(.)", r"\1", match[1])
            close(stack.pop())
            position = match.end()
        elif character in MARKDOWN_RESERVED:
            raise EntityError(f"Character '{character}' is reserved and must be escaped with the preceding '\\'")
        else:
            out.append(character)
            position += 1
    if stack and stack[-1].kind == "blockquote":
        close(stack.pop())
    if stack:
        open_span = stack[-1]
        name = MARKDOWN_NAMES[open_span.kind]
        raise EntityError(f"Can't find end of {name} entity at byte offset {open_span.byte_offset}")
    return "".join(out), spans


def _markdown_code(source: str, position: int, out: list[str], spans: list[_Span]) -> int:
    fence = "```" if source.startswith("```", position) else "`"
    offset = len(source[:position].encode())
    kind = "pre" if fence == "```" else "code"
    end = position + len(fence)
    while end < len(source) and not source.startswith(fence, end):
        end += 2 if source[end] == "\\" else 1
    if end >= len(source):
        raise EntityError(f"Can't find end of {MARKDOWN_NAMES[kind]} entity at byte offset {offset}")
    inner = source[position + len(fence) : end]
    span = _Span(kind, len(out), offset)
    if kind == "pre" and (match := re.match(r"([^\s`]+)\n", inner)):
        span.extra["language"] = match[1]
        inner = inner[match.end() :]
    out.extend(re.sub(r"\\(.)", r"\1", inner, flags=re.DOTALL))
    span.end = len(out)
    spans.append(span)
    return end + len(fence)


CLICKABLE = (
    ("email", re.compile(r"(?<![\w.+%-])[\w.+%-]+@[\w-]+(?:\.[\w-]+)+")),
    ("url", re.compile(r"(?i)\b(?:https?|ftp|tonsite|tg|ton)://[^\s<>\"']+")),
    ("url", re.compile(r"(?<![\w~-])(?:[\w~-]+\.)+(?:[^\W\d_]{2,}|xn--[\w-]+)\b(?::\d+)?(?:[/?#][^\s<>\"']*)?")),
    ("url", re.compile(r"(?<![\w.-])(?:\d{1,3}\.){3}\d{1,3}(?![\w.])(?:[/?#:][^\s<>\"']*)?")),
    ("mention", re.compile(r"(?<!\w)@[A-Za-z0-9_]{2,32}(?!\w)")),
    ("bot_command", re.compile(r"(?<![\w/<>])/[A-Za-z0-9_]{1,64}(?:@[A-Za-z0-9_]{3,32})?(?![\w/<>])")),
    ("hashtag", re.compile(r"(?<!\w)#(?=\w*[^\W\d_])\w{1,256}")),
    ("cashtag", re.compile(r"(?<![\w$])\$(?:[A-Z]{1,8}|1INCH)(?![\w$])")),
    ("phone_number", re.compile(r"(?<![\w+])\+\d[\d ().-]{5,}\d")),
)


def _clickable(text: str, spans: list[_Span]) -> list[_Span]:
    """Find what the server makes clickable unasked; never inside code, never overlapping."""
    taken = [(span.start, span.end) for span in spans if span.kind in {"code", "pre", "text_link"}]
    found: list[_Span] = []
    for kind, pattern in CLICKABLE:
        for match in pattern.finditer(text):
            if all(match.end() <= start or end <= match.start() for start, end in taken):
                taken.append(match.span())
                found.append(_Span(kind, match.start(), 0, end=match.end()))
    return found


def _cleaned(text: str, spans: list[_Span]) -> str:
    """Drop what the server drops (control characters, line separators and bidi embeddings, outer white space)."""
    keep: list[str] = []
    places = [0] * (len(text) + 1)
    for index, character in enumerate(text):
        places[index] = len(keep)
        if character == "\r" or "\u2028" <= character <= "\u202e":
            continue
        keep.append(" " if character < " " and character != "\n" else character)
    places[len(text)] = len(keep)
    joined = "".join(keep)
    stripped = joined.strip()
    lead = len(joined) - len(joined.lstrip())
    for span in spans:
        span.start = min(max(places[span.start] - lead, 0), len(stripped))
        span.end = min(max(places[span.end] - lead, 0), len(stripped))
    return stripped


def read_text(source: str, parse_mode: str | None) -> tuple[str, list[Entity]]:
    """Turn what a bot sent into the plain text and the entities that the reader gets.

    *parse_mode* is None or empty, ``HTML`` or ``MarkdownV2`` in any case; the old ``Markdown`` is refused here.
    Raises :class:`EntityError` for markup that the real server refuses.
    """
    mode = (parse_mode or "").lower()
    if mode == "html":
        text, spans = parse_html(source)
    elif mode == "markdownv2":
        text, spans = parse_markdown(source)
    elif mode:
        raise EntityError("unsupported parse_mode")
    else:
        text, spans = source, []
    text = _cleaned(text, spans)
    spans = [span for span in spans if span.end > span.start]
    spans += _clickable(text, spans)
    spans.sort(key=lambda span: (span.start, -span.end, span.kind))
    return text, [
        {
            "type": span.kind,
            "offset": utf16_length(text[: span.start]),
            "length": utf16_length(text[span.start : span.end]),
            **span.extra,
        }
        for span in spans
    ]
