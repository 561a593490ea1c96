"""HTML mail as a person sees it: what is hidden is left out, quotes are marked with ``>``.

inscriptis does the layout. It is given a tree without hidden text and without styles that would blow
the layout up (a padding of 99999em is legal), and only trees it can bear: its recursion ends at some
hundred levels. Larger or deeper documents are read by a plain linear walk.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

MAX_HTML = 800_000
MAX_ELEMENTS = 20_000
MAX_DEPTH = 100
MAX_LEVELS = 2_000
MAX_STYLE = 100_000
MAX_TAG = 10_000

_OPEN, _CLOSE = "\ue000", "\ue001"
_NEVER_SHOWN = {"head", "script", "style", "title", "template", "noframes", "object", "iframe", "svg", "math"}
_BLOCKS = {
    *("address", "article", "aside", "blockquote", "center", "dd", "div", "dl", "dt", "figure", "footer", "form"),
    *("h1", "h2", "h3", "h4", "h5", "h6", "header", "hr", "li", "main", "nav", "ol", "p", "pre", "section", "table"),
    *("td", "th", "tr", "ul", "br"),
}
_PARAGRAPHS = {"p", "blockquote", "ul", "ol", "table", "h1", "h2", "h3", "h4", "h5", "h6"}
_COLOURS = {
    "white": (255, 255, 255),
    "snow": (255, 250, 250),
    "ivory": (255, 255, 240),
    "whitesmoke": (245, 245, 245),
    "ghostwhite": (248, 248, 255),
    "floralwhite": (255, 250, 240),
    "black": (0, 0, 0),
    "red": (255, 0, 0),
    "green": (0, 128, 0),
    "blue": (0, 0, 255),
    "gray": (128, 128, 128),
    "grey": (128, 128, 128),
    "silver": (192, 192, 192),
    "yellow": (255, 255, 0),
    "navy": (0, 0, 128),
    "windowtext": (0, 0, 0),
}
Colour = tuple[int, int, int]


@dataclass(frozen=True)
class _Look:
    """What an element's text inherits: is it too small, invisible, or coloured as its ground?"""

    tiny: bool = False
    invisible: bool = False
    colour: Colour | None = (0, 0, 0)
    ground: Colour | None = (255, 255, 255)

    @cached_property
    def hidden(self) -> bool:
        """Whether nobody can read it."""
        if self.tiny or self.invisible:
            return True
        if self.colour is None or self.ground is None:
            return False
        return max(abs(a - b) for a, b in zip(self.colour, self.ground, strict=True)) <= 16


def _declarations(style: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for declaration in style[:4_000].lower().split(";"):
        name, colon, value = declaration.partition(":")
        if colon:
            found[name.strip()] = value.replace("!important", "").strip()
    return found


def _colour(value: str) -> Colour | None:
    """Read a colour; None where it is not one we can compare (an image, a variable, transparent)."""
    value = value.strip().lower()
    if value in _COLOURS:
        return _COLOURS[value]
    if found := re.fullmatch(r"#?([0-9a-f]{3}|[0-9a-f]{6})", value):
        digits = found[1] if len(found[1]) == 6 else "".join(d * 2 for d in found[1])
        return int(digits[:2], 16), int(digits[2:4], 16), int(digits[4:], 16)
    if found := re.match(r"rgba?\(\s*(\d{1,3})[\s,]+(\d{1,3})[\s,]+(\d{1,3})", value):
        return min(int(found[1]), 255), min(int(found[2]), 255), min(int(found[3]), 255)
    return None


def _length(value: str) -> float | None:
    found = re.match(r"(-?\d{0,6}\.?\d{0,4})\s*(px|pt|em|rem|%|$)", value)
    try:
        return float(found[1]) if found else None
    except ValueError:
        return None


def _removed(attributes: dict[str, str], style: dict[str, str]) -> bool:
    """Say whether an element is taken out with everything in it."""
    if not style:
        return "hidden" in attributes
    if "hidden" in attributes or style.get("display", "").startswith("none") or style.get("mso-hide") == "all":
        return True
    if _length(style.get("opacity", "1")) == 0:
        return True
    clipped = style.get("overflow", "").startswith("hidden")
    for name in ("max-height", "height", "max-width", "width"):
        size = _length(style.get(name, ""))
        if clipped and size is not None and size <= 1:
            return True
    for name in ("text-indent", "left", "top", "margin-left"):
        size = _length(style.get(name, ""))
        if size is not None and size <= -900:
            return True
    return style.get("clip", "").replace(" ", "") in ("rect(0,0,0,0)", "rect(0000)", "rect(1px,1px,1px,1px)")


def _look(parent: _Look, attributes: dict[str, str], style: dict[str, str]) -> _Look:
    look = parent
    if not style and not attributes:
        return look
    if size := style.get("font-size"):
        length = _length(size)
        if length is not None:
            small = length <= 0.1 if size.endswith(("em", "%")) else length <= 1
            look = replace(look, tiny=small)
        else:
            look = replace(look, tiny=False)
    if shown := style.get("visibility"):
        look = replace(look, invisible=shown in ("hidden", "collapse"))
    if colour := style.get("color") or attributes.get("color"):
        transparent = colour == "transparent" or re.match(r"rgba\(.*,\s*0(\.0*)?\s*\)", colour) is not None
        look = replace(look, colour=look.ground if transparent else _colour(colour))
    ground = style.get("background-color") or attributes.get("bgcolor")
    if not ground and "background" in style:
        words = style["background"].split()
        ground = next((word for word in words if _colour(word)), "image" if words else "")
        if "url(" in style["background"]:
            ground = "image"
    if attributes.get("background") or "background-image" in style:
        ground = "image"
    if ground and ground not in ("transparent", "inherit", "none", "initial"):
        look = replace(look, ground=_colour(ground))
    return look


def _sheet(text: str) -> dict[str, dict[str, str]]:
    """Read the simple rules (``tag``, ``.class``, ``#id``) of a style sheet, media queries left aside."""
    text = re.sub(r"/\*.*?\*/|<!--|-->", "", text[:MAX_STYLE], flags=re.DOTALL)
    rules: dict[str, dict[str, str]] = {}
    depth = 0
    selector = ""
    for piece in re.findall(r"[{}]|[^{}]+", text):
        if piece == "{":
            depth += 1
        elif piece == "}":
            depth = max(depth - 1, 0)
            selector = "" if depth == 0 else selector
        elif depth == 0:
            selector = piece.strip().lower()
        elif depth == 1 and not selector.startswith("@"):
            for each in selector.split(","):
                if re.fullmatch(r"[a-z0-9]*[.#]?[\w-]*", each.strip()):
                    rules.setdefault(each.strip(), {}).update(_declarations(piece))
    return rules


def _styled(tag: str, attributes: dict[str, str], rules: dict[str, dict[str, str]]) -> dict[str, str]:
    style: dict[str, str] = {}
    if rules:
        names = [tag]
        for each in attributes.get("class", "").lower().split()[:20]:
            names += [f".{each}", f"{tag}.{each}"]
        if identity := attributes.get("id", "").lower():
            names += [f"#{identity}", f"{tag}#{identity}"]
        for name in names:
            style.update(rules.get(name, {}))
    style.update(_declarations(attributes.get("style", "")))
    return style


def _is_quote(tag: str, attributes: dict[str, str], style: dict[str, str]) -> bool:
    """A blockquote is history, unless a client misuses it to indent."""
    if tag != "blockquote":
        return False
    if attributes.get("type", "").lower() == "cite" or "quote" in attributes.get("class", "").lower():
        return True
    return not style.get("border", "").startswith(("none", "0"))


def visible_text(html: str) -> tuple[str, bool]:
    """Return the text of *html* that a person would see, and whether some text was hidden from them.

    Quoted blocks have ``> `` before each line. Never raises; the cost grows linearly with the size.
    """
    html = html[:MAX_HTML].replace(_OPEN, "").replace(_CLOSE, "").replace("\x00", "")
    if not html.strip():
        return "", False
    root = _parsed(html)
    if root is None:
        return _bare(html), False
    elements, levels = _extent(root)
    if levels >= MAX_LEVELS:
        # libxml2 leaves out what lies deeper.
        return _bare(html), False
    hid = _strip_hidden(root)
    text = _laid_out(root) if elements <= MAX_ELEMENTS and levels <= MAX_DEPTH else None
    if text is None:
        text = "".join(_linear(root))
    return _quoted_lines(text).strip("\n"), hid


def _parsed(html: str) -> Any:
    """Return the document's tree, or None where lxml finds nothing in it."""
    import lxml.etree  # type: ignore[import-untyped]
    import lxml.html  # type: ignore[import-untyped]

    # An XML declaration inside a str makes lxml refuse the document; thousands of attributes make it crawl.
    html = re.sub(r"<\?xml[^>]{0,300}>", "", html)
    pieces = html.split("<")
    html = "<".join(piece if piece.find(">") <= MAX_TAG else "wbr" + piece[piece.find(">") :] for piece in pieces)
    if pieces[-1].find(">") < 0 and len(pieces[-1]) > MAX_TAG:
        html = html[: -len(pieces[-1]) - 1]
    parser = lxml.html.HTMLParser(remove_comments=True, remove_pis=True, huge_tree=True)
    try:
        return lxml.html.document_fromstring(html, parser=parser)
    except (lxml.etree.LxmlError, ValueError):
        return None


def _laid_out(root: Any) -> str | None:
    """Lay the document out with inscriptis; None where it is beyond what that can do."""
    from inscriptis.css_profiles import STRICT_CSS_PROFILE
    from inscriptis.html_engine import Inscriptis
    from inscriptis.model.config import ParserConfig

    try:
        return str(Inscriptis(root, ParserConfig(css=STRICT_CSS_PROFILE)).get_text())
    except (ValueError, RecursionError, AttributeError, TypeError, KeyError, IndexError, AssertionError):
        return None


def _linear(root: Any) -> Iterator[str]:
    """Walk through the tree and yield its text and line breaks: for documents beyond the layout engine."""
    import lxml.etree

    for event, element in lxml.etree.iterwalk(root, events=("start", "end")):
        tag = element.tag if isinstance(element.tag, str) else ""
        if tag in _BLOCKS:
            yield "\n\n" if tag in _PARAGRAPHS else "\n"
        text = element.text if event == "start" else element.tail if element is not root else None
        if text:
            yield re.sub(r"\s+", " ", text)


def _extent(root: Any) -> tuple[int, int]:
    """Return how many elements and how many levels the tree has."""
    stack = [(root, 1)]
    count = deepest = 0
    while stack:
        element, depth = stack.pop()
        count += 1
        deepest = max(deepest, depth)
        stack.extend((child, depth + 1) for child in element)
    return count, deepest


def _bare(html: str) -> str:
    """Take the tags out, whatever they mean: the last resort."""
    pieces = html.split("<")
    return pieces[0] + "".join(piece.partition(">")[2] for piece in pieces[1:])


def _strip_hidden(root: Any) -> bool:
    """Take hidden text out of the tree, mark quotes, and drop every style but the harmless ones."""
    rules: dict[str, dict[str, str]] = {}
    for sheet in root.iter("style"):
        for selector, style in _sheet(sheet.text_content() or "").items():
            rules.setdefault(selector, {}).update(style)
    hid = False
    stack: list[tuple[Any, _Look]] = [(root, _Look())]
    doomed: list[Any] = []
    while stack:
        element, outside = stack.pop()
        if element is not root and outside.hidden and (element.tail or "").strip():
            element.tail = " "
            hid = True
        tag = element.tag if isinstance(element.tag, str) else ""
        attributes = {str(name).lower(): str(value) for name, value in element.attrib.items()}
        style = _styled(tag, attributes, rules)
        if tag in _NEVER_SHOWN or (element is not root and _removed(attributes, style)):
            if tag not in _NEVER_SHOWN and "".join(element.itertext()).strip():
                hid = True
            doomed.append(element)
            continue
        look = _look(outside, {k: v.lower() for k, v in attributes.items()}, style)
        if look.hidden and (element.text or "").strip():
            element.text = " "
            hid = True
        stack.extend((child, look) for child in element)
        _simplify(element, tag, attributes, style)
    for element in doomed:
        tail = element.tail
        parent = element.getparent()
        if parent is None:
            continue
        before = element.getprevious()
        if tail:
            if before is not None:
                before.tail = (before.tail or "") + tail
            else:
                parent.text = (parent.text or "") + tail
        element.tail = None
        parent.remove(element)
    return hid


def _simplify(element: Any, tag: str, attributes: dict[str, str], style: dict[str, str]) -> None:
    if _is_quote(tag, attributes, style):
        # inscriptis forgets block quotes: marks around them survive it and become "> " afterwards.
        element.text = f"{_OPEN}{element.text or ''}"
        if len(element):
            element[-1].tail = f"{element[-1].tail or ''}{_CLOSE}"
        else:
            element.text += _CLOSE
    kept = []
    if style.get("display") in ("block", "inline"):
        kept.append(f"display:{style['display']}")
    if style.get("white-space", "").startswith("pre"):
        kept.append("white-space:pre")
    for name in ("style", "align", "valign", "colspan", "rowspan"):
        if name in element.attrib:
            del element.attrib[name]
    if kept:
        element.attrib["style"] = ";".join(kept)


def _quoted_lines(text: str) -> str:
    """Turn the quote marks into ``> `` prefixes, one a level."""
    if _OPEN not in text and _CLOSE not in text:
        return text
    lines: list[str] = []
    depth = 0
    for line in text.split("\n"):
        start = 0
        for mark in re.finditer(f"[{_OPEN}{_CLOSE}]", line):
            before = line[start : mark.start()]
            if before.strip():
                lines.append(_prefixed(before, depth))
            depth = min(depth + 1, 20) if mark[0] == _OPEN else max(depth - 1, 0)
            start = mark.end()
        rest = line[start:]
        if rest.strip() or not start:
            lines.append(_prefixed(rest, depth))
    return "\n".join(lines)


def _prefixed(line: str, depth: int) -> str:
    line = line.rstrip()
    return ("> " * depth + line.lstrip() if line.strip() else ">" * depth) if depth else line
