"""The new part of a mail: what its author wrote now, without history, signature and disclaimers.

Only the new part says what is asked. History below it may hold our own letter, which lists every right;
a footer may promise rights to its reader. Where a rule is in doubt the text stays new: a line too many
costs the reader a second, a line too few may cost the person their request.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

MAX_CHARACTERS = 200_000
MAX_LINE = 2_000
MAX_SIGNATURE_LINES = 60
LANGUAGES = ("fr", "en", "de", "es", "it", "nl", "pt")

HEADER_KEYS: dict[str, str] = {
    **dict.fromkeys(("de", "from", "von", "da", "van", "expéditeur", "expediteur", "envoyé par", "remitente"), "from"),
    **dict.fromkeys(
        ("envoyé", "envoye", "envoyé le", "date", "sent", "gesendet", "datum", "enviado", "enviado el", "enviada em"),
        "date",
    ),
    **dict.fromkeys(("fecha", "data", "inviato", "verzonden", "enviada", "date d'envoi", "reçu", "le"), "date"),
    **dict.fromkeys(("à", "a", "pour", "to", "an", "para", "aan", "per", "destinataire", "naar"), "to"),
    **dict.fromkeys(("cc", "copie", "copie à", "copie a", "kopie", "copia", "bcc", "cci", "kopie (cc)"), "cc"),
    **dict.fromkeys(("objet", "sujet", "subject", "betreff", "asunto", "oggetto", "onderwerp", "assunto"), "subject"),
    **dict.fromkeys(("répondre à", "repondre a", "reply-to", "antwort an", "importance", "importancia"), "other"),
    **dict.fromkeys(("pièces jointes", "attachments", "anlagen", "wichtigkeit", "priorité", "organisation"), "other"),
}

_KEY = re.compile(r"^[\s*_]*([A-Za-zÀ-ÿ'’()\- ]{1,20}?)[\s*_]{0,3}:[*_]{0,2}(?:\s+(.*)|(.{0}))$")
_QUOTE = re.compile(r"^\s{0,3}(?:>|&gt;)")
_MARKS = re.compile(r"^\s{0,3}(?:(?:>|&gt;) ?)+")
_OLDER = (
    r"(?:message|mail|e-mail|courriel) (?:d['’]origine|original|initial|transf[ée]r[ée]|transmis)",
    r"original (?:message|e-?mail)|forwarded message",
    r"urspr[üu]ngliche nachricht|originalnachricht|weitergeleitete nachricht",
    r"mensaje (?:original|reenviado)|messaggio (?:originale|inoltrato)",
    r"oorspronkelijk bericht|origineel bericht|doorgestuurd bericht",
    r"mensagem (?:original|encaminhada)",
)
_FORWARDED = (
    r"(?:message|mail|e-mail|courriel) (?:transf[ée]r[ée]|transmis)",
    r"forwarded message|weitergeleitete nachricht|mensaje reenviado",
    r"messaggio inoltrato|doorgestuurd bericht|mensagem encaminhada",
)
_FORWARD_BEGINS = (
    r"d[ée]but du message (?:transf[ée]r[ée]|r[ée]exp[ée]di[ée])|begin forwarded message",
    r"anfang der weitergeleiteten (?:nachricht|e-mail)|inicio del mensaje reenviado",
    r"inizio (?:del )?messaggio inoltrato|begin (?:van )?(?:het )?doorgestuurd bericht",
    r"in[íi]cio da mensagem (?:encaminhada|reencaminhada)",
)


def _any(*phrases: str) -> str:
    return "(?:" + "|".join(phrases) + ")"


_DIVIDER = re.compile(rf"^[\s>]*[-_=]{{2,20}}\s*{_any(*_OLDER)}\s*:?\s*[-_=]{{2,20}}\s*$", re.IGNORECASE)
_FORWARD_DIVIDER = re.compile(
    rf"^[\s>]*(?:[-_=]{{2,20}}\s*{_any(*_FORWARDED)}\s*:?\s*[-_=]{{2,20}}|{_any(*_FORWARD_BEGINS)}\s*:)\s*$",
    re.IGNORECASE,
)
_RULE = re.compile(r"^\s*(?:_{10,}|-{20,})\s*$")
_LA_POSTE = re.compile(r"^[\s>]*message du \d{1,2}[/.]\d{1,2}[/.]\d{2,4}", re.IGNORECASE)

_WROTE_OPENS = re.compile(
    r"^(?:le\b|on\b|am\b|el\b|il\b|op\b|em\b|no dia\b|\S.{0,120}(?:@|\d{4}|\d{1,2}[:h]\d{2}|a écrit|wrote))",
    re.IGNORECASE,
)
_WROTE = re.compile(
    _any(
        r"\ba\s+[ée]crit(?:\s+(?:le|à)\b.{0,80})?",
        r"\bwrote|\bwrites|\bescribió|\bha\s+scritto|\bgeschreven",
        r"\b(?:schrieb|schreef|escreveu)(?:\s.{1,160})?",
    )
    + r"\s*:\s*$",
    re.IGNORECASE,
)
_TOLD_ME = re.compile(
    _any(
        r"\b(?:m|t|l)['’]\s?a\s+[ée]crit|\b(?:nous|vous|lui|leur|on)\s+a\s+[ée]crit",
        r"\bwrote\s+(?:me|us|back)\b|\bschrieb\s+(?:mir|uns|er|sie|ich)\b",
        r"\bme\s+escribió|\bmi\s+ha\s+scritto|\bme\s+escreveu",
    ),
    re.IGNORECASE,
)
_STAMP = re.compile(r"@|\b\d{1,2}[:h]\d{2}\b|\b(?:19|20)\d{2}\b|\b\d{1,2}[/.-]\d{1,2}[/.-]\d{2,4}\b")

_DEVICE = re.compile(
    r"^[\s>*_-]*"
    + _any(
        r"envoy[ée]e? (?:de(?:puis)?|à partir d[e'’]|a partir d[e'’]|via|avec|par)\s?.{1,80}",
        r"t[ée]l[ée]charge[rz] (?:outlook|bluemail|yahoo|orange mail).{0,60}|obtene[rz] outlook.{0,40}",
        r"provenance\s?:\s?(?:courrier|outlook).{0,40}",
        r"sent (?:from|with|via|using)\s.{1,80}|get (?:outlook|bluemail) for\s.{1,40}",
        r"von meinem .{1,40} gesendet.{0,20}|gesendet (?:von|mit|über|aus)\s.{1,60}",
        r"diese nachricht wurde von meinem .{1,80}|holen sie sich outlook.{0,30}",
        r"enviad[oa] (?:desde|do|da|a partir do|pelo|con|com)\s.{1,60}|obter o? ?outlook.{0,30}",
        r"inviato (?:da|dal|con)\s.{1,60}|(?:scarica|ottieni) outlook.{0,30}",
        r"verzonden (?:vanaf|met|via|van)\s.{1,60}",
        r"outlook (?:voor|pour|for|für|per|para) (?:ios|android).{0,30}",
        r"(?:garanti sans virus|sans virus|virus-free|virenfrei|libre de virus|privo di virus)\b.{0,40}",
        r"l['’]absence de virus dans ce courrier.{0,120}|cet e-?mail a été vérifié par.{0,100}",
        r"ce courrier [ée]lectronique ne contient aucun virus.{0,120}",
    )
    + r"\s*$",
    re.IGNORECASE,
)
_DEVICE_WORDS = re.compile(
    _any(
        r"i(?:phone|pad)|mobile|t[ée]l[ée]phone|smartphone|android|samsung|galaxy|huawei|xiaomi|oneplus|pixel|blackberry",
        r"outlook|yahoo|orange|gmail|proton|bluemail|mail|courrier|messagerie|zimbra|infomaniak|thunderbird|spark|tutanota",
        r"free|sfr|bouygues|laposte|la poste|apple|windows|k-9|handy|m[óo]vil|tel[ée]fono|telefon|virus|appareil|app\b",
    ),
    re.IGNORECASE,
)
_DEVICE_LIMIT = 110

_RIGHTS_FOOTERS = (
    r"conform[ée]ment (?:à|au|aux)\b.{0,160}"
    r"\bvous (?:avez (?:le|un|des) droits?|pouvez (?:exercer|acc[ée]der|demander|obtenir))",
    r"\bvous (?:disposez|b[ée]n[ée]ficiez) (?:à tout moment |également )?"
    r"(?:d['’]un|des|du|de|d['’]une?)\s?(?:\w+ )?droits?\b",
    r"\bvous pouvez (?:à tout moment |également )?exercer (?:vos|ces|ce) droits?\b|\bpour exercer (?:vos|ces) droits\b",
    r"\bvos donn[ée]es (?:personnelles |à caract[èe]re personnel )?(?:sont|seront) "
    r"(?:trait|collect|utilis|conserv)[ée]",
    r"\bvos donn[ée]es (?:personnelles |à caract[èe]re personnel )?font l['’]objet d['’]un",
    r"\bnous traitons vos donn[ée]es\b|\bnotre politique de (?:confidentialit[ée]|protection des donn[ée]es)\b",
    r"\b(?:under|in accordance with|pursuant to) (?:the )?(?:gdpr|general data protection).{0,120}"
    r"\byou have the right\b",
    r"\byou have (?:the|a) rights? (?:of|to) (?:access|rectif|eras|object|request).{0,300}"
    r"\b(?:privacy (?:policy|notice)|our|us)\b",
    r"\b(?:read|see) our privacy (?:policy|notice)\b|\bhow we (?:process|use|handle) your (?:personal )?data\b",
    r"\bsie haben das recht auf (?:auskunft|berichtigung|löschung)",
    r"\b(?:tiene|podrá ejercer|puede ejercer)\b.{0,40}\bderechos? de acceso",
    r"\b(?:ha|avete) il diritto di accesso|\bu heeft (?:het )?recht op (?:inzage|toegang)",
    r"\btem o direito de (?:acesso|aceder)",
)
_CONFIDENTIAL_FOOTERS = (
    r"\b(?:ce|le pr[ée]sent) (?:message|courriel|e-?mail|mail)\b.{0,220}"
    r"\b(?:confidentiel|destinataire|propri[ée]t[ée] exclusive)",
    r"\bsi vous n['’][êe]tes pas (?:le|la|un|l['’]un des) (?:bon |v[ée]ritable )?destinataire",
    r"\bsi vous (?:avez re[çc]u|recevez) ce (?:message|courriel|mail|e-?mail) par erreur",
    r"\b(?:this|the) (?:e-?mail|message|communication)\b.{0,220}"
    r"\b(?:confidential|intended (?:only|solely|recipient)|privileged)",
    r"\bif you (?:are not the (?:intended|named)|have received this)\b",
    r"\bdiese (?:e-?mail|nachricht)\b.{0,160}\b(?:vertraulich|rechtlich geschützt)",
    r"\beste (?:mensaje|correo)\b.{0,200}\b(?:confidencial|destinatario)",
    r"\bquest[oa] (?:messaggio|e-?mail|comunicazione)\b.{0,200}\b(?:riservat|confidenzial|destinatari)",
    r"\bdit (?:bericht|e-?mail(?:bericht)?)\b.{0,200}\b(?:vertrouwelijk|geadresseerde)",
    r"\best[ae] (?:mensagem|e-?mail)\b.{0,200}\b(?:confidencia|destinatári)",
)
_OTHER_FOOTERS = (
    r"\b(?:pensez|pensons) (?:à|a) l['’]environnement|\bn['’]imprimez ce|\bavant d['’]imprimer\b|\bfaut-il imprimer\b",
    r"\bpr[ée]serve[rz]? (?:la plan[èe]te|l['’]environnement)",
    r"\bplease consider the environment\b|\bthink before (?:you )?print",
    r"\b(?:se|pour (?:vous|ne plus|se)) d[ée](?:sabonner|sinscrire)\b.{0,80}(?:clique|lien|ici|https?:)",
    r"\bpour vous d[ée]sinscrire\b|\bpour ne plus recevoir (?:nos|cette|ces|la)\b",
    r"\bvous recevez (?:ce|cet|cette) (?:message|e-?mail|courriel|mail|newsletter|lettre)\b.{0,120}"
    r"\b(?:car|parce que|suite)\b",
    r"\bto unsubscribe\b|\bunsubscribe (?:here|from this|at any time)\b",
    r"\byou (?:are receiving|received|receive) this (?:e-?mail|message|newsletter)\b",
)
_FOOTER = re.compile(_any(*_RIGHTS_FOOTERS, *_CONFIDENTIAL_FOOTERS, *_OTHER_FOOTERS), re.IGNORECASE | re.DOTALL)

_POLITE_ORDERS = r"(?:ne pas|le |nous|d[ée]truire|d['’]en|bien vouloir (?:nous|le|d[ée]truire))"
_DEMANDS = re.compile(
    _any(
        rf"\b(?:je|moi|mes|mon|ma)\b|\bj['’]\w|\bmerci de (?!{_POLITE_ORDERS})",
        r"\bnous (?:vous )?(?:demand|souhait|voul|exig)\w*",
        r"(?<!notify )(?<!inform )(?<!advise )(?<!contact )(?<!tell )\bme\b|\b(?-i:I)\b|\b(?:my|mine)\b",
        r"\b(?:ich|mein\w*|mir|mich)\b|\b(?:quiero|solicito|mis)\b|\b(?:chiedo|vorrei|miei|mie)\b",
        r"\b(?:ik|mijn)\b|\b(?:quero|meus|minhas)\b",
    ),
    re.IGNORECASE,
)
_MAILMAN = re.compile(
    _any(
        r"\S.{0,60} (?:mailing list|liste de diffusion)|https?://\S*(?:listinfo|mailman|postorius|sympa|/list/)\S*",
        r"(?:pour vous d[ée]sabonner|to unsubscribe|unsubscribe|se d[ée]sabonner)\b.{0,200}",
        r".{0,80}you (?:received|are subscribed)\b.{0,200}|vous recevez ce message (?:car|parce que).{0,200}",
    ),
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Split:
    """A text in three: what is new, the history it quotes, and signature with footers. Line order is kept in each."""

    new: str
    quoted: str = ""
    signature: str = ""


@dataclass(frozen=True)
class HeaderBlock:
    """The header lines that a mail client writes above a quoted or forwarded message."""

    fields: dict[str, str]
    """``from``, ``date``, ``to``, ``cc``, ``subject``, as written."""
    start: int
    end: int
    """Line numbers: first line of the block, and first line behind it."""


def unquoted(line: str) -> str:
    """Return *line* without its quote marks."""
    return _MARKS.sub("", line) if _QUOTE.match(line) else line


def header_block(lines: list[str], start: int) -> HeaderBlock | None:
    """Read the header lines that begin at *start*, or None where there is no such block.

    "From: 12 May / To: 15 May" is a stay, no header: a block has a sender and two more fields, one of them
    a date or a subject, and it holds an address, or both a subject and a time of day.
    """
    fields: dict[str, str] = {}
    last = ""
    place = start
    blanks = 0
    while place < len(lines) and place - start < 24:
        line = unquoted(lines[place][:MAX_LINE]).strip()
        if not line:
            blanks += 1
            if blanks > 1 or (fields and {"from", "subject"} <= set(fields) and ("to" in fields or "date" in fields)):
                break
            place += 1
            continue
        found = _KEY.match(line)
        key = HEADER_KEYS.get(" ".join(found[1].lower().split())) if found else None
        if key is None:
            # A long list of recipients runs on over several lines; a value may stand below its name.
            if last and not blanks and (not fields[last] or (last in ("to", "cc") and "@" in line)):
                fields[last] = f"{fields[last]} {line}".strip()
                place += 1
                continue
            break
        blanks = 0
        last = key
        fields.setdefault(key, (found[2] or "" if found else "").strip())
        place += 1
    while place > start and not unquoted(lines[place - 1]).strip():
        place -= 1
    fields.pop("other", None)
    if "from" not in fields or not fields["from"] or len(fields) < 3 or not {"date", "subject"} & set(fields):
        return None
    addressed = "@" in fields["from"] + fields.get("to", "")
    dated = "subject" in fields and re.search(r"\d{1,2}[:h]\d{2}", fields.get("date", "")) is not None
    if not addressed and not dated:
        return None
    return HeaderBlock(fields, start, place)


def is_forward_divider(line: str) -> bool:
    """Say whether *line* announces a forwarded message."""
    return len(line) < 200 and _FORWARD_DIVIDER.match(line) is not None


def is_divider(line: str) -> bool:
    """Say whether *line* announces an older message, answered or forwarded."""
    return len(line) < 200 and (_DIVIDER.match(line) is not None or _FORWARD_DIVIDER.match(line) is not None)


@lru_cache(maxsize=1)
def _foreign_wrote() -> tuple[re.Pattern[str], ...]:
    """How mail clients in other languages than ours introduce a quote, from mail-parser-reply.

    Its patterns are used line by line: over a whole text they are quadratic.
    """
    from mailparser_reply.constants import MAIL_LANGUAGES

    return tuple(
        re.compile(rules["wrote_header"], re.IGNORECASE)
        for language, rules in MAIL_LANGUAGES.items()
        if language not in LANGUAGES and rules.get("wrote_header")
    )


def _attribution(lines: list[str], start: int, language_hint: str | None) -> int:
    """Return the line behind an attribution ("Le … a écrit :") that begins at *start*, or *start* if none does."""
    first = unquoted(lines[start][:MAX_LINE]).strip()
    if not first or not _WROTE_OPENS.match(first):
        return _foreign_attribution(lines, start, language_hint)
    joined = ""
    for place in range(start, min(start + 4, len(lines))):
        line = unquoted(lines[place][:MAX_LINE]).strip()
        if not line:
            break
        joined = f"{joined} {line}".strip()
        if len(joined) > 400:
            break
        if _WROTE.search(joined):
            followed = _next_line(lines, place + 1)
            quotes = followed is not None and _QUOTE.match(followed) is not None
            if _TOLD_ME.search(joined) and not quotes:
                return start
            stamped = _STAMP.search(joined) is not None
            return place + 1 if stamped or (quotes and len(joined) < 200) else start
    return _foreign_attribution(lines, start, language_hint)


def _foreign_attribution(lines: list[str], start: int, language_hint: str | None) -> int:
    line = unquoted(lines[start][:300]).strip()
    if language_hint in LANGUAGES or not line.endswith((":", "：")) or not _STAMP.search(line):
        return start
    return start + 1 if any(pattern.match(line) for pattern in _foreign_wrote()) else start


def _next_line(lines: list[str], start: int) -> str | None:
    return next((line for line in lines[start : start + 4] if line.strip()), None)


def split(text: str, language_hint: str | None = None) -> Split:
    """Split *text* into new part, quoted history and signature.

    Answers below and between quoted lines are new. *language_hint* (ISO 639-1) narrows the search to
    the languages we know well; without it, introductions in other languages are looked for too. Where
    nothing would be left as new, everything stays new.
    """
    rest = text[MAX_CHARACTERS:]
    lines = text[:MAX_CHARACTERS].split("\n")
    kinds = _mark_history(lines, language_hint)
    if rest:
        # Beyond what a person writes nothing is looked for: the remainder is what its beginning was.
        lines.append(rest)
        kinds.append(kinds[-1])
    _mark_signatures(lines, kinds)
    _mark_footers(lines, kinds)
    for forgiven in ("", "s", "sq"):
        new = [line for line, kind in zip(lines, kinds, strict=True) if kind == "n" or kind in forgiven]
        if "".join(new).strip():
            quoted = [] if "q" in forgiven else _only(lines, kinds, "q")
            signature = [] if "s" in forgiven else _only(lines, kinds, "s")
            return Split(_joined(new), _joined(quoted), _joined(signature))
    return Split(text.strip())


def _only(lines: list[str], kinds: list[str], wanted: str) -> list[str]:
    return [line for line, kind in zip(lines, kinds, strict=True) if kind == wanted]


def _joined(lines: list[str]) -> str:
    return re.sub(r"\n{3,}", "\n\n", "\n".join(line.rstrip() for line in lines)).strip("\n")


def _mark_history(lines: list[str], language_hint: str | None) -> list[str]:
    """Return a letter per line: ``q`` for history, ``n`` for the rest."""
    kinds = ["n"] * len(lines)
    place = 0
    while place < len(lines):
        line = lines[place]
        if _QUOTE.match(line):
            kinds[place] = "q"
            place += 1
            continue
        behind = history_start(lines, place, language_hint)
        if behind == place:
            place += 1
            continue
        for number in range(place, behind):
            kinds[number] = "q"
        followed = _next_line(lines, behind)
        if followed is None or _QUOTE.match(followed):
            # Marked history ends where its marks end; what stands below is an answer.
            place = behind
            continue
        for number in range(behind, len(lines)):
            kinds[number] = "q"
        break
    return kinds


def history_start(lines: list[str], place: int, language_hint: str | None = None) -> int:
    """Return the line behind what introduces older messages at *place*, or *place* where nothing does."""
    line = lines[place]
    if not line.strip():
        return place
    if is_divider(line) or _LA_POSTE.match(line):
        block = _block_below(lines, place + 1)
        return block.end if block else place + 1
    if _RULE.match(line):
        block = _block_below(lines, place + 1)
        return block.end if block else place
    if ":" in line and (block := header_block(lines, place)):
        return block.end
    return _attribution(lines, place, language_hint)


def _block_below(lines: list[str], start: int) -> HeaderBlock | None:
    for place in range(start, min(start + 3, len(lines))):
        if lines[place].strip():
            return header_block(lines, place)
    return None


def _mark_signatures(lines: list[str], kinds: list[str]) -> None:
    """Mark ``-- `` signatures and the lines that phones and virus scanners add."""
    place = 0
    while place < len(lines):
        line = lines[place]
        if kinds[place] != "n":
            place += 1
            continue
        if line.rstrip("\r") in ("-- ", "--") or (_RULE.match(line) and _is_list_footer(lines, kinds, place)):
            end = place + 1
            while end < len(lines) and kinds[end] == "n" and end - place <= MAX_SIGNATURE_LINES:
                end += 1
            tail = "\n".join(lines[place + 1 : end]).strip()
            if end - place <= MAX_SIGNATURE_LINES and _is_signature(
                tail, exact=line.startswith("-- ") or bool(_RULE.match(line))
            ):
                for number in range(place, end):
                    kinds[number] = "s"
                place = end
                continue
        if len(line.strip()) <= _DEVICE_LIMIT and _DEVICE.match(line) and _DEVICE_WORDS.search(line):
            kinds[place] = "s"
        place += 1


def _is_signature(tail: str, *, exact: bool) -> bool:
    """A signature is short; two dashes alone may also be how somebody parts paragraphs."""
    if exact:
        return len(tail) <= 3_000
    return len(tail) <= 700 and tail.count("\n") <= 12 and not (len(tail) > 150 and _DEMANDS.search(tail))


def _is_list_footer(lines: list[str], kinds: list[str], place: int) -> bool:
    below = [
        line.strip()
        for line, kind in zip(lines[place + 1 : place + 6], kinds[place + 1 :], strict=False)
        if kind == "n"
    ]
    return any(_MAILMAN.match(line) for line in below if line)


def _mark_footers(lines: list[str], kinds: list[str]) -> None:
    """Mark disclaimers and footers that speak to a reader about the reader's rights.

    A footer never stands first, and a paragraph in which somebody says "I" or "my" is none. Behind the
    first footer only such a paragraph brings the new part back.
    """
    paragraphs: list[tuple[int, int]] = []
    start: int | None = None
    for number in range(len(lines) + 1):
        inside = number < len(lines) and kinds[number] == "n" and bool(lines[number].strip())
        if inside and start is None:
            start = number
        elif not inside and start is not None:
            paragraphs.append((start, number))
            start = None
    footers: list[int] = []
    personal: list[int] = []
    for index, (first, end) in enumerate(paragraphs):
        words = " ".join(lines[first:end])[:2_000]
        demands = _DEMANDS.search(words) is not None
        if index and not demands and _FOOTER.search(words):
            footers.append(index)
        elif demands or "?" in words:
            personal.append(index)
    last_personal = personal[-1] if personal else -1
    for index, (first, end) in enumerate(paragraphs):
        trailing = bool(footers) and index > footers[0] and index > last_personal
        if index in footers or trailing:
            for number in range(first, end):
                kinds[number] = "s"
