"""Who writes, and whom a message for somebody else is about: names and the relationship between the two."""

# ruff: noqa: E501  an expression in one line is easier to read than one in pieces

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from nlp.patterns import NAME, ORGANISATION, TITLE, Field, plain, words
from nlp.types import Message

_PARTICLES = words("a al ben bin binte d da de del della den der des di do dos du e el la le van von y zu")
_TITLES = words(
    """
    avv capt dipl dott dottssa dr drs dhr don dona frau gp herr herrn ing khk lady m mag maitre mademoiselle madame me
    mevr mgr miss mlle mm mme monsieur mr mrs ms padre pasteur pastor pr prof profssa ra rev reverend senor senora sig sigra signor signora
    sir sr sra ssa ssgt oberinspektor
    """
)
NO_PERSON = words(
    """
    allemand allemagne alle als am an anbei and anglais aout april art article association auberge aug aussi avril bei belgique
    berlin bitte bonjour bruxelles buenas buenos but can caro cara carissimi casier cctv cher chere chers christmas
    ciao client cnil code college cookies cordialement could csv cv dans danke dear december decembre des die dimanche dni
    domenica dpo dsr easter ecole elle en england english ente erbschein espagne europe european excel export facebook
    fauconnier fdv february fevrier fotos fourcy francais france french friday friends gdpr germany gervais gesendet goedemiddag
    goedendag goedemorgen google grazie gruss gracias guten hallo he hello hi hola hostel i iban ich iii il ihr ihnen ihre
    instagram insta it ici italie italy january janvier je jeudi json juillet july juin june kharkiv les ley loi london
    londres lundi lycee lyon ma madame madrid maestro mai marais march mardi marseille mars maubuisson mein meine merci
    mercredi mes mi mia mijn mije mio mon monday monsieur montag my netflix noel non nos not notre nous november novembre
    octobre october office oggi ohne olá ola on once our paques paris passport pdf please pentecote per photo photos por pour quand regards registre
    rgpd rib rome roma rue saint salut samedi saturday school sehr sepa september septembre service she si sir sirs sms so
    social soy spanish sunday sur team telegram thank thanks that the they this thursday tiktok toussaint tuesday type ue un una une union
    unser unsere usb vendredi von vous voi vrijdag we wednesday whatsapp wifi wir xml year you your yours youtube zoom
    zum zur dad mum mom mam maman papa granny grandad pasen pascua ostern weihnachten kerst natale
    dsgvo avg rgpd lopd brexit erasmus bafa caf ofpra
    """
)
_GAP = re.compile(
    r"[ -]|\.-? ?|['’]|[ -](?:(?i:de|du|d|von|van|der|den|di|da|dos|la|le|el|al|y|e|bin|binte)[ '’]){1,3}|[ ][A-ZÀ-Ý]\.? "
)
_LONGEST_ABBREVIATION = 3
_INITIALS = re.compile(r"(?<![\w.'’])((?:[A-ZÀ-Ý][hl]?\.(?:[ -]|(?=[A-ZÀ-Ý]))?){1,3})$")
_JOINED = re.compile(r"['’-](?!s\b)[^\W\d_]{1,20}")
_BARE_INITIAL = re.compile(r"(?<![\w.'’])([A-ZÀ-Ý]) $")
_BEFORE = re.compile(r"(?<![\w'’-])([^\W\d_][\w'’-]{0,25}) $")
_BEHIND = re.compile(r"[ -]([A-ZÀ-Ý][\w'’-]{0,25})(\.?)")
_LINE_START = re.compile(
    rf"(?:^|[.!?…:;,)»*]\s{{1,3}}|[-–—•~/]\s?|\b(?:[Cc]ordialement|[Mm]erci|[Rr]egards|[Cc]heers|[Tt]hanks|[Tt]hx|[Pp]eace|[Ll]ove|[Kk]isses|[Gg]r(?:uß|uss|oet|oetjes)|LG|lg|VG|vg|MfG|mfg|[Dd]anke(?: euch)?|[Ss]aluti|[Ss]aludos|[Bb]esos|[Bb]ises|[Aa]braços?|[Bb]isous|[Cc]dt|[Cc]dlt|[Ss]igné|[Ss]incerely|[Ee]nkelin|[Ee]nkel|[Yy]ours|[Gg]razie|[Gg]racias|[Oo]brigad[oa]|[Ss]tima|[Hh]oogachtend|[Aa]tentamente)\s)(?:{TITLE} ){{0,2}}$"
)
_LINE_END = re.compile(r"[\s.!,)*:;~-]*(?:$|[,(|/–-].{0,90}$|\d.*$|(?:vedova|née?|geb\.|veuve|ép\.) .{0,30}$)")
_INTRO = re.compile(
    rf"(?:\bje suis|\bje m['’]appelle|\bc['’]est|\bici|\bmon nom (?:est|c['’]est)|\bmon nom de \w+(?: c['’]est| est)?|\bje soussigné?e?,?|\bsous mon nom \(|\bI am|\bI['’]m|\bthis is|\bit['’]s|\bmy name is|\bname[sd]?(?: is|:)?|\bthe undersigned,?|\bsoy|\bme llamo|\bmi nombre es|\bapellido es|\bsono|\bmi chiamo|\bcognome è|\bich bin|\bhier ist|\bmein name ist|\bnachname ist|\bich heiße(?: wieder)?|\bik ben|\bmijn naam is|\bsou o|\bsou a|\bchamo-me|\bo meu nome é|\bnom ?:|\bname ?:)\s{{1,2}}(?:{TITLE} )?$",
    re.IGNORECASE,
)
_SAID = re.compile(
    r"(?:je (?:soussigne|soussignee|m'appelle|suis),? |mon nom (?:est|c'est) |(?:bonjour|salut|bonsoir|bjr|coucou|hallo|hello|hi),? (?:ici|c'est|moi c'est) |my name is |i, |i am |i'm |this is |ich bin |mein name ist |hier ist |me llamo |soy |mi chiamo |sono |mijn naam is |ik ben |chamo-me |o meu nome e |sou [oa] )"
    r"(?:soussignee?,? )?"
)
_TITLED_NAME = re.compile(rf"(?:{TITLE} )?({NAME})(?=[\s,.;:!)(]|$)")
_INNER = re.compile(
    rf"^[ >*]{{0,3}}(?:De|From|Von|Da|Van|Remitente|Mittente)\s?:\s{{1,3}}\"?(?:{TITLE} )?({NAME})\"?(?= ?[<(\n\[]|$)",
    re.MULTILINE,
)
_FORWARDED = re.compile(r"^[ >-]*(?:De|From|Von|Da|Van)\s?:\s", re.MULTILINE)
_SELF_WEAK = words(
    """
    a afraid also an ancien at away back client desole die der das dpo ein eine en from going happy i in je just la le mije not
    now on out paris ravi responsable so sorry still sure the un une very writing your
    """
)
_CLOSING = words(
    """
    a abbraccio amicalement atenciosamente atentamente best bien bises bisous bonne cdlt cdt cheers cordialement cordiali cumprimentos
    danke dank envoye freundliche freundlichen grazie gracias groet groeten gruss gruesse grusse hochachtungsvoll hoogachtend kind kisses lg love merci mfg met mit obrigada
    obrigado peace ps regards salutations saludo saludos saluti sent sincerely thank thanks thx viele warm yours tel cell im für fur
    """
)


_NO_NAME = NO_PERSON | ORGANISATION | _CLOSING | words("chez mettez inscrivez myself ta its it's of esq esquire")


_NOT_CLAIMED = _TITLES | {"et", "and", "und", "en"}


@dataclass(frozen=True)
class _Run:
    """Words of the sender's name that stand together."""

    start: int
    end: int
    weight: float


def own_name(message: Message, body: str, folded: str) -> Field | None:
    """Return the sender's name as the body writes it, the fullest form there is: signed, said or mentioned.

    *folded* is the body by :func:`nlp.patterns.plain`. Of a forwarded message that is read as the request, the inner
    sender is the one who writes.
    """
    claimed = _claimed(message.from_name)
    lines = _last_lines(body)
    best = _best_run(_runs(body, folded, claimed), body, lines, claimed)
    if (best is None or best.weight < 2) and _FORWARDED.search(body):
        inner = _INNER.search(body)
        if inner and not _names_organisation(inner[1]):
            return Field("full_name", inner[1], *inner.span(1))
    if best and best.weight >= 1.5:
        return Field("full_name", body[best.start : best.end], best.start, best.end)
    said = _said(body, folded)
    if said and (best is None or len(said.text.split()) > 1):
        return said
    if best:
        return Field("full_name", body[best.start : best.end], best.start, best.end)
    return _short(body, lines, claimed) or _signed(body, lines, anonymous=not claimed)


def _claimed(from_name: str) -> tuple[str, ...]:
    """Return the words of the sender's name, folded; those of an organisation are left out."""
    parts = re.split(r"\s[-–|/]\s|[,(]", from_name)
    found: list[str] = []
    for part in parts:
        split = [word for word in re.split(r"[^\w]+", plain(part)) if word]
        if not ORGANISATION.intersection(split) and not any(word.isdigit() for word in split):
            found += [word for word in split if word not in _NOT_CLAIMED or len(word) == 1]
    return tuple(dict.fromkeys(found))


def _runs(body: str, folded: str, claimed: tuple[str, ...]) -> list[_Run]:
    """Return the places where words of the claimed name stand, with the initials and names beside them."""
    hits: list[tuple[int, int]] = []
    size = len(folded)
    for word in claimed:
        if len(word) < 2 or word in _PARTICLES:
            continue
        at = folded.find(word)
        while at >= 0 and len(hits) < 60:
            end = at + len(word)
            free = (at == 0 or not (folded[at - 1].isalnum() or folded[at - 1] in "@_")) and (
                end == size
                or not (
                    folded[end].isalnum()
                    or folded[end] in "@_"
                    or re.match(r"\.\w|[\w.]{1,30}@", folded[end : end + 31])
                )
            )
            if free:
                hits.append((at, end))
            at = folded.find(word, end)
    hits.sort()
    runs: list[_Run] = []
    for start, end in hits:
        joined = runs and start >= runs[-1].end and _GAP.fullmatch(body, runs[-1].end, start)
        stops = joined and body[runs[-1].end] == "." and runs[-1].end - runs[-1].start > _LONGEST_ABBREVIATION
        if joined and not stops:
            runs[-1] = _Run(runs[-1].start, end, runs[-1].weight + 1)
        elif not runs or start >= runs[-1].end:
            runs.append(_Run(start, end, 1))
    # A first name that the header gives in full is not another one that only begins alike.
    spelt = {word[0] for word in claimed if len(word) > 2}
    return [_extend(run, body, folded, claimed, {word[0] for word in claimed}, spelt) for run in runs]


def _extend(run: _Run, body: str, folded: str, claimed: tuple[str, ...], initials: set[str], spelt: set[str]) -> _Run:
    start, end, weight = run.start, run.end, run.weight
    while match := _BEFORE.search(body, max(0, start - 28), start):
        word = folded[match.start(1) : match.end(1)]
        if word in _PARTICLES and word in claimed:
            start = match.start(1)
            continue
        first = match[1][0]
        if (
            weight == 1
            and first.isupper()
            and word not in _TITLES
            and len(word) > 2
            and word[0] in initials - spelt - {folded[run.start]}
        ):
            start, weight = match.start(1), weight + 1
        break
    joined = _JOINED.match(body, end)
    if joined:
        end = joined.end()
    bare = _BARE_INITIAL.search(body, max(0, start - 3), start)
    if bare and plain(bare[1]) in initials - {folded[run.start]}:
        start, weight = bare.start(1), weight + 0.5
    match = _INITIALS.search(body, max(0, start - 12), start)
    if (
        match
        and (match[1].strip() != "M." or "m" in initials - {folded[run.start]})
        and plain(match[1]).strip(". ") not in ("dr", "st")
    ):
        start, weight = match.start(1), weight + 0.5
    behind = _BEHIND.match(body, end)
    if behind and weight == 1 and run.weight == 1:
        word = plain(behind[1])
        if word[0] in initials - {folded[run.start]} and word not in NO_PERSON:
            alone = len(word) == 1
            if not alone and word[0] in spelt:
                return _Run(start, end, weight)
            end = behind.end() if alone else behind.end(1)
            weight += 0.5 if alone else 1
    return _Run(start, end, weight)


def _last_lines(body: str) -> list[tuple[int, int]]:
    """Return the spans of the last lines that hold something, the last first."""
    found: list[tuple[int, int]] = []
    end = len(body)
    while end > 0 and len(found) < 7:
        start = body.rfind("\n", 0, end) + 1
        if body[start:end].strip():
            found.append((start, end))
        end = start - 1
    return found


def _best_run(runs: list[_Run], body: str, lines: list[tuple[int, int]], claimed: tuple[str, ...]) -> _Run | None:
    best: _Run | None = None
    rank = (0.0, 0)
    for found in runs:
        signed = _is_signature(found, body, lines)
        run = _whole(found, body, lines, claimed[0] if len(claimed) > 1 else "")
        signed = signed or run.end - run.start > found.end - found.start
        if run.weight < 1.5 and not signed and not _INTRO.search(body, max(0, run.start - 40), run.start):
            continue
        given = (run.weight, int(signed))
        if given >= rank:
            best, rank = run, given
    return best


def _whole(run: _Run, body: str, lines: list[tuple[int, int]], first_name: str) -> _Run:
    """Return *run* with the names around it where they stand together below the text, or behind "I am" and its like.

    *first_name* is how a name of several words in the header begins: nothing belongs before it.
    """
    line = next(((start, end) for start, end in lines if start <= run.start < end), None)
    start = body.rfind("\n", 0, run.start) + 1
    for match in _NAME_AT.finditer(body, max(start, run.start - 60), min(len(body), run.end + 60)):
        if match.start() > run.start or match.end() < run.end:
            continue
        name = trim("full_name", body, *match.span())
        while name and " " in name.text and name.start < run.start and plain(name.text.split()[0]) in _NO_NAME:
            name = trim("full_name", body, name.start + name.text.index(" ") + 1, name.end)
        if name is None or name.start > run.start or (name.end <= run.end and name.start == run.start):
            return run
        split = [word.strip(".") for word in plain(name.text).split()]
        behind = plain(body[run.end : name.end]).split()
        if (_NO_NAME | _TITLES).intersection(split) or len(behind) > 2 or _PARTICLES.intersection(behind):
            return run
        if name.start < run.start and first_name and plain(body[run.start : run.end]).startswith(first_name):
            return run
        before = body[max(start, name.start - 60) : name.start]
        signed = line and _LINE_START.search(before) and re.match(r"[\s.!,)]*$|[,(|] ?\S", body[name.end : line[1]])
        if len(split) <= 5 and (signed or _INTRO.search(before)):
            return _Run(name.start, max(name.end, run.end), run.weight + 0.5)
        return run
    return run


def _is_signature(run: _Run, body: str, lines: list[tuple[int, int]]) -> bool:
    for start, end in lines:
        if start <= run.start < end:
            return bool(
                _LINE_START.search(body[max(start, run.start - 60) : run.start])
                and _LINE_END.match(body[run.end : end])
            )
    return False


def _names_organisation(text: str) -> bool:
    return bool(ORGANISATION.intersection(re.split(r"[^\w]+", plain(text))))


def _said(body: str, folded: str) -> Field | None:
    for cue in _SAID.finditer(folded):
        if cue.start() and folded[cue.start() - 1].isalnum():
            continue
        match = _TITLED_NAME.match(body, cue.end())
        if match is None:
            continue
        text = match[1]
        first = plain(text.split()[0])
        if first in _SELF_WEAK or first in NO_PERSON or _names_organisation(text) or text.isupper():
            continue
        trimmed = trim("full_name", body, *match.span(1))
        if trimmed:
            return trimmed
    return None


_SIGNED = re.compile(rf"[ \t*~–—-]{{0,4}}(?:{TITLE} ){{0,2}}({NAME})(?=\s*$|\s*[,(|/]|\s+[-–—:]\s|,)")
_SIGNED_END = re.compile(rf"(?:[.!?…)] |[,:] )(?:{TITLE} ){{0,2}}({NAME})(?=\.?\s*$|, [^.!?\n]{{2,60}}\.?\s*$)")


def _signed(body: str, lines: list[tuple[int, int]], *, anonymous: bool) -> Field | None:
    """Return the name below the text where the header does not give it: two words at least, no organisation's."""
    for number, (start, end) in enumerate(lines[:6]):
        line = body[start:end]
        match = _SIGNED.match(line) if len(line) <= 90 else None
        if number == 0 and (match is None or plain(match[1].split()[0]) in NO_PERSON | _CLOSING):
            ends = _SIGNED_END.finditer(line, max(0, len(line) - 110))
            match = next((one for one in ends if plain(one[1].split()[0]) not in NO_PERSON | _CLOSING), None)
        if match is None:
            continue
        text = match[1].rstrip(".") if not re.search(r"\b[A-ZÀ-Ý]\.$", match[1]) else match[1]
        split = [plain(word).strip(".") for word in text.split()]
        titled = bool(re.search(rf"{TITLE} $", line[max(0, match.start(1) - 16) : match.start(1)]))
        enough = (
            len(split) >= 2
            or (titled and number < 2)
            or (anonymous and number == 0 and len(lines) > 2 and len(text) > 2 and len(line) < 25)
        )
        if not enough or len(split) > 4 or split[0] in _CLOSING or NO_PERSON.intersection(split) or text.isupper():
            continue
        if ORGANISATION.intersection(re.split(r"[^\w]+", plain(text))) or all(len(word) < 2 for word in split):
            continue
        offset = start + match.start(1)
        return _fuller(body, Field("full_name", text, offset, offset + len(text)))
    return None


def _fuller(body: str, found: Field) -> Field:
    """Return the same name where the text spells out what *found* gives as an initial."""
    initial, _, surname = found.text.rpartition(" ")
    if not re.fullmatch(r"[A-ZÀ-Ý][a-z]?\.", initial):
        return found
    match = re.search(rf"\b{initial[0]}[^\W\d_]{{2,20}}(?:-[^\W\d_]{{2,20}})? {re.escape(surname)}(?!\w)", body)
    return Field("full_name", match[0], *match.span()) if match else found


_ALONE = re.compile(r"(?:^|.*[.!?…,:)] {1,2})[–—~-]*\s?([A-ZÀ-Ý][^\W\d_]{2,15})[.!]?\s*$")


def _short(body: str, lines: list[tuple[int, int]], claimed: tuple[str, ...]) -> Field | None:
    """Return a signature by a short form of a name in the header, or by what its initial stands for."""
    for start, end in lines[:2]:
        line = body[start:end]
        match = _ALONE.match(line[-200:])
        word = plain(match[1]) if match else ""
        if not match or match[1].isupper() or word in NO_PERSON or word in _CLOSING or word in ORGANISATION:
            continue
        begun = any(len(other) == 1 and word[0] == other for other in claimed)
        if begun or any(word in other or (word[:3] == other[:3] and len(other) > 3) for other in claimed):
            offset = start + max(0, len(line) - 200) + match.start(1)
            return Field("full_name", match[1], offset, offset + len(match[1]))
    return None


def trim(name: str, body: str, start: int, end: int) -> Field | None:
    """Return the name at a span without the title before it and the small words behind it; None if nothing is left."""
    text = body[start:end]
    title = re.match(rf"{TITLE}\s+(?=[A-ZÀ-Ý])", text)
    if title:
        start += title.end()
        text = text[title.end() :]
    split = text.split(" ")
    while split and (split[-1] in _PARTICLES or split[-1].lower() in ("est", "is")):
        split.pop()
    trimmed = " ".join(split)
    if not re.search(r"\b[A-ZÀ-Ý]\.$", trimmed):
        trimmed = trimmed.rstrip(" ,.'’-")
    trimmed = re.sub(r"['’]s$", "", trimmed)
    if len(trimmed) < 2 or trimmed.lower() in _SELF_WEAK:
        return None
    return Field(name, trimmed, start, start + len(trimmed))


_KIN_FR = r"(?:(?:beau|belle|petite?|arri[èe]re|demi|grande?)-)?(?:fils|fille|p[èe]re|m[èe]re|fr[èe]re|s[œo]e?ur|mari|femme|[ée]poux|[ée]pouse|compagn(?:on|e)|conjointe?|enfants?|gar[çc]on|gamine?|ni[èe]ce|neveu|oncle|tante|maman|papa|m[ée]m[ée]|p[ée]p[ée]|mamie|papi|cousine?|coll[èe]gue|amie?|cliente?|filleule?|prot[ée]g[ée]e?|pupille|patiente?|veuf|veuve)(?: a[îi]n[ée]e?| cadette?)?"
_KIN_EN = r"(?:(?:late|little|lil|eldest|youngest|elder|younger|dear|poor|step|grand|foster|baby|big|teenage|[0-9]{1,2}[- ]year[- ]old) ?)?(?:grandson|granddaughter|grandmother|grandfather|stepson|stepdaughter|son|daughter|children|child|kids?|boys?|girls?|lad|lass|husband|wife|partner|father|mother|dad|mum|mom|mam|nan|gran|brother|sister|uncle|aunt|nephew|niece|client|colleague|ward|patient|friend|widow|widower)"
_KIN_DE = r"(?:Pflege|Schwieger|Groß|Stief|Enkel)?(?:[Ss]ohn|[Tt]ochter|[Mm]ann|[Ff]rau|[Vv]ater|[Mm]utter|[Bb]ruder|[Ss]chwester|[Kk]ind|[Tt]ante|[Oo]nkel|[Oo]pa|[Oo]ma|[Ee]nkelin|[Ee]nkel|[Nn]effe|[Nn]ichte|[Ee]hemann|[Ee]hefrau|[Mm]andantin|[Mm]andanten|[Mm]andant)"
_KIN_ES = r"(?:hij[oa]|nin[oa]|marido|mujer|padre|madre|herman[oa]|espos[oa]|tí[oa]|abuel[oa]|niet[oa]|sobrin[oa]|compañer[oa](?: de piso)?|clienta?|alumn[oa]|viud[oa]|suegr[oa])"
_KIN_IT = r"(?:figli[oa]|marito|moglie|padre|madre|fratello|sorella|zi[oa]|nonn[oa]|nipote|suocer[oa]|mamma|papà|assistit[oa]|cliente|alunn[oa]|nuora|genero|vedov[oa])"
_KIN_NL = r"(?:zoon|zoontje|dochter|man|vrouw|vader|moeder|broer|zuster|zus|oom|tante|opa|oma|kind|cliënte?|kleinzoon|kleindochter|neef|nicht|leerling|weduwe)"
_KIN_PT = r"(?:filh[oa]|marido|mulher|pai|mãe|irmão|irmã|ti[oa]|av[óô]|net[oa]|sobrinh[oa]|espos[oa]|constituinte|alun[oa]|viúv[oa])"
_RELATED = re.compile(
    rf"\b((?:(?P<en>[Mm]y|[Oo]ur|[Hh]is|[Hh]er|MY)|(?:[Mm]on|[Mm]a|[Mm]es|[Nn]otre|[Nn]os|[Ss]a|[Ss]on|[Ll]eur|MON|MA|SA|[Ll]e|[Ll]a(?=.{{2,20}} d)))\s)"
    rf"(?P<kin>(?(en)(?i:{_KIN_EN})|(?i:{_KIN_FR}))(?!\w))"
    rf"|\b((?:[Mm]ein|[Uu]nser|[Ii]hr|[Ss]ein)(?:e[nmrs]?)?\s)(?P<de>{_KIN_DE}(?!\w))"
    rf"|\b((?:[Mm]i|[Nn]uestr[oa]|[Ss]u|[Ll]a|[Ee]l)\s)(?P<es>{_KIN_ES}(?!\w))"
    rf"|\b((?:(?:[Ii]l |[Ll]a )?(?:[Mm]i[oa]|[Nn]ostr[oa])|[Ss]u[oa])\s)(?P<it>{_KIN_IT}(?!\w))"
    rf"|\b((?:[Mm]ijn|[Oo]nze|[Oo]ns|[Zz]ijn|[Hh]aar|[Dd]e)\s)(?P<nl>{_KIN_NL}(?!\w))"
    rf"|\b((?:[OoAa]\s)?(?:[Mm]eu|[Mm]inha|[Nn]oss[oa])\s)(?P<pt>{_KIN_PT}(?!\w))"
)
_DIED = re.compile(
    r"deced|est mort|mort[e]?\b|defunt|s'est eteint|nous a quitte|succession|\bfeue?\b|died|passed away|deceased|\blate\b|is dead|\blost\b|estate|verstorb|gestorb|\btot\b|heimgegangen|fallec|murio|muert|decedut|mancat|morto|morta|overled|falec|morreu|nachlass|erbe"
)
_KIN_BEFORE = re.compile(
    rf"(?:(?i:\b(?:mon|ma|notre|sa|son|leur)\s{_KIN_FR})|(?i:\b(?:my|our|his|her|their)\s{_KIN_EN})|(?i:\b(?:mein|unser|ihr|sein)(?:e[nmrs]?)?\s){_KIN_DE}|(?i:\b(?:mi|nuestr[oa]|la|el)\s{_KIN_ES})|(?i:\b(?:mi[oa]|nostr[oa])\s{_KIN_IT})|(?i:\b(?:mijn|onze|ons)\s{_KIN_NL})|(?i:\b(?:meu|minha|noss[oa])\s{_KIN_PT})"
    r"|\b(?:[Ff]eu|[Ff]eue|[Tt]he late|[Dd]éfunte?|[Oo]pa|[Oo]ma|[Ll]['’]enfant|[Ll]['’][ée]l[èe]ve|[Éé]l[èe]ve|[Mm]ineure?|[Pp]upil|[Ss]tudent|[Tt]he child|[Dd]as Kind|[Ss]chüler(?:in)?|[Aa]l[ul]n?[nm][oa]|[Ll]eerling|[Aa]tleta|[Cc]lienta?|[Cc]liente|utilisat(?:eur|rice)|our user|our member|adh[ée]rente?|[Mm]andante?|Mandant(?:in|en)?|Kund(?:in|e|en)|verstorbenen?|(?:petite?|jeune|pauvre|poor|little|young)|estate of|(?:m[èe]re|p[èe]re|parents?|maman|papa|mother|father|mum|dad|madre|padre|mamma|Mutter|Vater|moeder|vader|mãe|pai|tuteur|tutrice|hija|hijo|widow|veuve|famille|famiglia|familia) (?:de|of|di|von|van|da|do|d['’])|represents?|instructed by|on behalf of|behalf of|pour le compte de|au nom de|en nombre de|per conto della?|conto del|in nome e per conto della?|im Namen von|namens|mandat[ée]e? par|(?:in )?re:?|RE:?|concerning|conc\.|regarding|tuteur de|curatelle de|tutelle de|décès de)"
    rf")(?:,| (?:est|is|was|called|named|heißt|heet|se llama|si chiama|s['’]appelle|appel[ée]e?|ist|compianto|difunto|défunte?|Herrn?))?\s?(?:{TITLE} ){{0,2}}$"
)
_TITLE_BEFORE = re.compile(rf"(?<![\w'’]){TITLE}(?: dr\.?| Dr\.?| prof\.?)?\s$")
_ADDRESSED = re.compile(
    rf"(?:\b(?:[Dd]ear|[Hh]ello|[Hh]i|[Bb]onjour|[Bb]onsoir|[Cc]h[eè]re?|[Hh]allo|[Ll]iebe[rs]?|[Ss]ehr geehrte[rs]?|[Ee]stimad[oa]|[Hh]ola|[Cc]aro|[Cc]ara|[Gg]entile|[Bb]este|[Gg]eachte|[Cc]ar[oa]|[Vv]otre|[Yy]our|[Ii]hr(?:e[rnm]?)?|[Vv]uestr[oa]|[Vv]ostr[oa]|[Uu]w|[Jj]ullie|directeur|directrice|animat(?:eur|rice)|moniteur|leader|coach|psychologist|judge|juge|solicitor|to)\s(?:\w+ )?(?:{TITLE} )?)$"
)
_PLACE_BEFORE = re.compile(
    r"\b(?:à|À|in|at|en|from|aus|nach|rue|place|quai|near|im|presso|Haus|house|via|app|groupe de|group of|hall|at the|les|the|des|di|der|die|das|dem|den)\s$"
)
_LED = re.compile(
    r"\b(?:de|d['’]|of|for|pour|about|von|zu|für|voor|van|sur|per|para|concernant|bei|[Bb]ij|que|qu['’]|with|avec|is|est|notre|our|to|and|et|und|en)\s?$"
)
_AGE_BEHIND = re.compile(
    r",? \(?\d{1,2} ?(?:ans|years|Jahre|años|anni|jaar|anos)|,? \(?(?:[1-9]|1[0-7])\b|, aged |,? \(?(?:n[ée]e?|born|geboren|geb\.|nat[oa]|nacid[oa]|nascid[oa]) |,? \(\d{1,2}[/. ]|, grade|, (?:ten|nine|eight|seven|eleven|twelve|thirteen|fourteen|fifteen|sixteen),|['’]s (?:file|data|photo|form|stay|record|name|mother|father|mum|dad|medical)"
)
_DIED_BEHIND = re.compile(
    r",? ?(?:who |qui |qu[ie] |die |der |ist |est |is |a |nous |se |è |s['’]|has )?[^.!?\n]{0,22}\b(?:died|dead|deceased|passed|mort|morte|décédée?|éteinte?|quittée?s?|gestorben|verstorben|heimgegangen|falleció|murió|mancat[oa]|mort[oa]|deceduta?|overleden|faleceu|no está)\b"
)
LEADING = re.compile(
    r"(?:Mein|Meine|Meiner|Meinem|Meinen|Unser|Unsere|Mon|Ma|My|Our|Mijn|Onze|Mi|Mio|Mia|The|Le|La|Les|Bonjour|Hallo|Hello|Dear|Sohn|Tochter|Bruder|Schwester|Vater|Mutter|Mann|Frau|Tante|Onkel|Ehemann|Ehefrau|Kind|Enkel|Enkelin|Neffe|Nichte|Kornett|Herrn?|Dass|Für|Von|Das|Die|Der|Het|Bij|Voor)\s(?=[A-ZÀ-Ý])"
)
_SHORT_TITLE = re.compile(r"(?:Mme|Mlle|M\.|Mr\.?|Mrs\.?|Dr\.?|Madame|Monsieur)\s")
_TITLED = re.compile(rf"(?<![\w'’]){TITLE}\s(?=[A-ZÀ-Ý])")
_SENTENCE_START = re.compile(r"(?:^|[.!?:;…»)\n]\s*|[-–•«“\"(]\s?)$")
_NAME_AT = re.compile(NAME)
_GERMAN = re.compile(r"\b(?:ich|und|der|die|nicht|ist|wir|Sie)\b")


def relationship(body: str, folded: str) -> Field | None:
    """Return what the person concerned is to the writer, as the message says it; kin, named or deceased."""
    best: Field | None = None
    for match in _RELATED.finditer(body):
        group = next(name for name in ("kin", "de", "es", "it", "nl", "pt") if match[name])
        start, end = match.span(group)
        text = match[group]
        near = folded[max(0, match.start() - 60) : end + 60]
        if match["en"]:
            start = match.start(1)
            text = body[start:end]
        named = re.match(r",? [A-ZÀ-Ý][a-zà-ÿ]", body[end : end + 4])
        if named or _DIED.search(near):
            return Field("relationship", text, start, end)
        if best is None and match["en"]:
            best = Field("relationship", text, start, end)
    return best


def data_subject(message: Message, body: str, own: Field | None) -> Field | None:
    """Return the name of the person whom a message for somebody else is about.

    What stands before and behind each name speaks for it: kinship, a role, a title, an age, a death, how often it
    comes; forms of address, places and signatures speak against it.
    """
    if body.isupper():
        return None
    own_words = set(_claimed(message.from_name)) | (set(re.split(r"[^\w]+", plain(own.text))) if own else set())
    german = len(_GERMAN.findall(body[:600])) >= 4
    tail = max(len(body) - 45, body.rstrip().rfind("\n"))
    scores: dict[str, float] = {}
    fields: dict[str, Field] = {}
    for number, (field, score) in enumerate(_candidates(body, own_words, german, tail, own)):
        split = [word for word in plain(field.text).split() if word.strip(".") not in _TITLES]
        if not split:
            continue
        key, last = split[0], split[-1]
        if key not in scores and last in scores:
            key = last
        scores[key] = max(scores.get(key, 0.0), score - number * 0.02) + (0.6 if key in scores else 0.0)
        if key not in fields or len(field.text.split()) > len(fields[key].text.split()):
            fields[key] = field
    if not scores:
        return None
    best = max(scores, key=lambda key: scores[key])
    return fields[best] if scores[best] >= 1.1 else None


def _candidates(
    body: str, own_words: set[str], german: bool, tail: int, own: Field | None
) -> Iterator[tuple[Field, float]]:
    count = 0
    for match in _NAME_AT.finditer(body):
        count += 1
        if count > 250:
            return
        start = match.start()
        while lead := LEADING.match(body, start, match.end()):
            start = lead.end()
        titled = _TITLED.search(body, max(0, start - 14), match.end())
        inside_title = bool(titled and titled.start() <= start < titled.end())
        field = trim("data_subject_name", body, start, match.end())
        if field is None or field.text.isdigit():
            continue
        folded = [word for word in re.split(r"[^\w]+", plain(field.text)) if word]
        if set(folded) <= own_words or NO_PERSON.intersection(folded) or ORGANISATION.intersection(folded):
            continue
        if folded[0] in own_words and len(folded) > 1 and folded[0] != folded[-1]:
            continue
        if field.text.isupper() and len(folded) == 1:
            continue
        before = body[max(0, start - 48) : start]
        if inside_title and titled and _SHORT_TITLE.match(titled[0]) and sum(len(word) > 1 for word in folded) == 1:
            field = Field(field.name, body[titled.start() : field.end], titled.start(), field.end)
        behind = body[field.end : field.end + 40]
        two = len(folded) > 1
        score = 1.0 if two and not german else 0.4
        opens = bool(_SENTENCE_START.search(before[-4:])) or start == 0
        if opens and not two:
            score -= 0.8
        if _KIN_BEFORE.search(before):
            score += 3
        elif inside_title or _TITLE_BEFORE.search(before):
            score += 1.6
        elif _LED.search(before) and not german:
            score += 0.7
        if _ADDRESSED.search(before):
            score -= 3.5
        elif not two and _PLACE_BEFORE.search(before):
            score -= 1.5
        if _AGE_BEHIND.match(behind):
            score += 2.5
        elif _DIED_BEHIND.match(behind):
            score += 1.6
        if start >= tail and (own is None or own.start >= tail) and not _KIN_BEFORE.search(before):
            score -= 1.5
        yield field, score
