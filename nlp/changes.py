"""What is wrong and what is right: the old and the new value of a correction, and who is to receive a file."""

# ruff: noqa: E501  an expression in one line is easier to read than one in pieces

from __future__ import annotations

import re
from collections.abc import Sequence
from difflib import SequenceMatcher

from nlp.names import NO_PERSON, trim
from nlp.patterns import ADDRESSES, DATE, EMAIL, NAME, PHONE, TITLE, Field, field_of, plain, words
from nlp.types import Message

_QUOTE = r"[«“„\"][ \u00a0\u202f]?(?=[^ \n])[^«»”“„\"\n]{1,70}?[ \u00a0\u202f]?[»”“\"]"
_EMAIL = r"(?<![\w.+-])[\w.+-]{1,40}@[\w-]{1,40}(?:\.[\w-]{1,20}){1,3}"
_WORD = r"[^\s,;.!?()«»“”\"]{1,40}"
_V = (
    rf"(?:{_QUOTE}|{_EMAIL}|@\w{{2,40}}|{DATE}|\d{{1,4}} (?:[A-ZÀ-Ý]|rue|avenue|quai|boulevard|place|impasse|allée|chemin)[^\n,;!?.()]{{2,45}}(?:, \d{{5}} [A-ZÀ-Ý]\w{{1,25}})?"
    rf"|\+?\d(?:[\d .,/-]{{0,20}}\d)?(?: ?(?:mg(?:/ml)?|ml|€|%|ans|kg|cm))?|(?:{TITLE} )?[A-ZÀ-Ý]{_WORD}(?: (?:[A-ZÀ-Ý0-9]{_WORD}|(?:d[eu]|la|van|von|der|den|di) [A-ZÀ-Ý]{_WORD})){{0,4}}|[A-ZÀ-Ý](?:\.[A-ZÀ-Ý])*\.?)"
)
_PREP = r"(?:(?:le|la|les|en|du|the|in|on|in the|der|den|die|das|dem|am|im|el|il|o|a|van|von|of|de|d['’]|comme|as|als|come|como|di|avec|with|mit|par|by|to|sous|een) ?)?"
_NOT = r"(?:et )?(?:surtout )?(?:non(?: pas| plus)?|pas|plus|not|and not|never|nicht|und nicht|y no|no|e non|não|e não|niet|en niet|rather than|plutôt que)"
_INSTEAD = r"(?:au lieu d[eu'’]|à la place d[eu'’]|en lieu et place d[eu'’]|instead of|in place of|statt|anstatt|anstelle von|en vez de|en lugar de|anziché|invece di|al posto di|in plaats van|em vez de)"
_CHANGES: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern), order)
    for pattern, order in (
        (
            rf"(?:[Rr]emplac(?:e[rz]?|ement d[eu])|[Ss]ubstituer|[Cc]hang(?:e[rz]?)|[Mm]odifie[rz]?|[Cc]orrig(?:e[rz]?)|[Ss]ustituy?(?:an|ir)|[Cc]ambi(?:ar|ate|are|en|ad)|[Ss]ostituire|[Ee]rsetzen Sie|[Ää]ndern Sie|[Vv]ervang|[Ww]ijzig|[Mm]udem|[Aa]lter(?:ar|em)|[Ss]ubstitu(?:ir|am)) (?:dans [^\n.«\"]{{2,30}} )?{_PREP}({_V}) (?:par|en|por|con|durch|in|door|naar|para) {_PREP}({_V})",
            "old-new",
        ),
        (
            rf"(?:[Rr]eplace|[Cc]hange|[Cc]orrect|[Uu]pdate|[Aa]mend|[Ss]witch)\s(?:it |this |the \w+ )?(?:from )?({_V}) (?:to|with|into|by|for) {_PREP}({_V})",
            "old-new",
        ),
        (rf"\bfrom {_PREP}({_V}) to {_PREP}({_V})", "old-new"),
        (rf"({_V}) (?:devient|becomes|wird zu|pasa a ser|diventa|wordt|passa a)(?: :)? ({_V})", "old-new"),
        (rf"({_V}) ?(?:->|→|=>|-->) ?({_V})", "old-new"),
        (
            rf"(?:{_NOT}) {_PREP}({_V}),? (?:mais|but|sondern|sino|ma|maar|mas|c['’]est|c|it['’]s|it is)(?: bien)? {_PREP}({_V})",
            "old-new",
        ),
        (rf"({_V}),? {_INSTEAD} ?{_PREP}({_V})", "wrong-right"),
        (
            rf"(?:en {_PREP}|in {_PREP}|am |il |the )?({_V}),? ?(?:\([^()\n]{{1,40}}\),? )?(?:– |- |: )?{_NOT} {_PREP}({_V})",
            "new-old",
        ),
        (
            rf"\b(?:[Nn]ot|[Pp]as|[Nn]on|[Nn]icht|[Nn]iet) ({_V})\. (?:[A-Z]?[a-z]{{1,10}}[ .]{{1,2}}){{0,3}}({_V})(?=[.,!]|$)",
            "old-new",
        ),
        (rf"({_V}),? (?:c['’]était|it was|that was|it should(?: be| have been)?) (?:en fait )?({_V})", "old-new"),
        (
            rf"(?:{_INSTEAD} ?){_PREP}({_V}),? (?:je suis|c['’]est|it should be|es heißt|mettez|put) {_PREP}({_V})",
            "old-new",
        ),
    )
)
_SAYS_OLD = re.compile(
    rf"(?i:\b(?:vous (?:m['’]|y |l['’])?(?:avez|aviez) (?:mis|[ée]crit|not[ée]|saisi|enregistr[ée]|inscrit|indiqu[ée])|vous (?:y |m['’]y |me |m['’])?(?:mettez|[ée]crivez|appelez|avez|nommez|indiquez)|(?:il y a|c['’]est|est|était|sont?|suis|[êe]tre|reste) (?:encore |toujours |marqu[ée]e?s? |[ée]crite?s? |not[ée]e?s? |inscrite?s? |indiqu[ée]e?s? |mise? |enregistr[ée]e?s? |orthographi[ée]e?s? )(?:comme |sous |en |au nom de |à )?|figure(?:r|nt)?(?: encore| toujours)?(?: comme| sous| à)?|indique(?:nt)?|affiche|mentionne|porte(?: la mention)?|dit|compte parmi|fait na[îi]tre (?:en|le)"
    rf"|says?|reads?|shows?|listed (?:as|under)|given as|recorded as|registered as|written(?: as| down as)?(?: [a-z ]{{2,22}})?|spelt|spelled|(?:you(?:['’]ve| have|['’]d)?|they(?:['’]ve| have)?|system|record|file|account|badge|list) (?:still )?(?:wrote|written|put|got|has|have|had|calls?|called|addressed)(?: (?:me|him|her|us|it|my \w+))?(?: down)?(?: as| at| in)?|calls? me|call(?:ed)? him|still (?:an? )?|come out|comes out|became|become|remain"
    rf"|steht(?: da| dort| bei \w+)?|schreib(?:en|t) (?:mich|Sie|ihr)|geführt als|als|hei(?:ß|ss)t es|sagen|nennen|noch|heißt|gespeichert"
    rf"|pone|dice|figura(?: como| come)?|aparece(?: como)?|consta(?: como)?|escrito|escribieron|han puesto|scritt[oa]|scrivete|risulta|compare(?: come)?|avete (?:messo|scritto)"
    rf"|staat(?: er| nog)?(?: als| op)?|bent u|geschreven|noemt|vermeld(?: als)?|gericht aan|está|aparece como|escreveram|registad[oa])"
    rf"(?: [a-zà-ÿ'’]{{1,14}}){{0,2}}?[ :]{{1,2}}{_PREP})({_V})",
)
_SAYS_NEW = re.compile(
    rf"(?i:\b(?:c['’](?:est|était)(?: bien| désormais| maintenant)?|en réalité|s['’][ée]crit|s['’]appelle|je m['’]appelle|je suis(?: de| né[e]? (?:en|le))?|(?:mettez|mettre|lire|[ée]crire|inscrire|noter|rectifi\w+ en|corrig\w+ en|remplacer? par|remplacée? par(?: celle de)?|y mettre|doit être|devrait être|au nom de|le bon|le vrai|la bonne|correcte?(?: est)?|vaut|mais|désormais|nouve(?:au|l|lle) \w+)(?: est| :)?"
    rf"|it['’]s(?: now)?|it is|its|is|[Ii] am|I['’]m|should (?:be|read|say)|must be|needs to be|ought to be|(?:the )?(?:correct|right|real|actual)(?: \w+)? (?:is|one is)?|please (?:put|write|make it|enter)|make it|(?:new|good) \w+ (?:is|are)|actually|started|born(?: on| in)?|change it to|now"
    rf"|richtig ist|sondern|es ist|ist|heiße(?: wieder)?|heißt|muss|korrekt(?: ist)?|bitte|richtig(?: ist| wäre)?|stimmt"
    rf"|es|soy|debe (?:ser|decir)|lo correcto es|me llamo|sino|è|sono|mettete|corretto è|deve essere|giusto è|moet(?: zijn| dat)?|dat moet|het is|wel(?: van)?|is het|juiste? is|é|deve ser|sou|correto é|chamo-me)"
    rf"[ :]{{1,3}}{_PREP})({_V})"
)
_NEW_ONLY = re.compile(
    rf"(?:[Nn]ouve(?:au|l|lle) (?:numéro|num|tel|téléphone|portable|mail|e-mail|email|adresse(?: mail| e-mail| postale)?|courriel|nom|iban|IBAN)|[Nn]ew (?:address|number|phone|email|e-mail|mobile|surname|name)|[Nn]eue (?:Adresse|Nummer|Mailadresse|Anschrift|E-Mail)|[Nn]uev[oa] (?:dirección|número|correo|teléfono)|[Nn]uovo (?:indirizzo|numero)|[Nn]ieuwe? (?:adres|nummer)|[Nn]ov[oa] (?:morada|número|e-?mail))(?: est| is| ist| es| è| é|\s?:)? ?{_PREP}:? ?({_V})"
)
_TURN_TO = re.compile(
    rf"(?:\b[Rr]evise|\b[Cc]hange|\b[Uu]pdate|\b[Aa]mend|\b[Cc]orrect|\b[Ss]witch|\b[Ss]et)\b[^.!?\n]{{1,50}}?\bto ({_V})"
    rf"|(?:\b(?:[Pp]ut|[Rr]egister|[Ll]ist|[Ee]nter|[Rr]ecord|[Rr]efer to) (?:me|him|her|us|it) (?:down )?(?:as|under) |\b(?:me |le |la )?(?:renommer|inscrire comme|inscrire sous|noter comme|mettez plutôt|mettre plutôt) )({_V})"
)
_QUOTED = re.compile(_QUOTE)
_AROUND_VALUE = '«»“”„" \u00a0\u202f.,:;'
_PRONOUNS = NO_PERSON | words(
    """
    a an be besoin cela de du elle il it je just la le les ma mes mon my not only pas plus que qui that the
    this to un une ça sie ihr ihnen ich er es nein ja oui yes
    """
)
_WROTE = re.compile(
    r"\b(?:mis|ecrit|note|marque|saisi|enregistre|inscrit|indique|figure|put|wrote|written|entered|has|have|says|typed|recorded|geschrieben|eingetragen|puesto|escrito|messo|scritto|geschreven)\b"
)
_MOVED = re.compile(
    r"nouve\w+|\bnew\b|\bnow\b|demenag|moved|moving|bouge|desormais|maintenant|plutot|remplac\w+|\bmett\w+|c'est |\bneu\w*|umgezog|verzog|\bwohne|mudado|mudei|trasloc|trasferit|verhuis|jetzt|ahora|adesso|agora|\bnu\b|change|actual|\bit's\b|\bis\b"
)
_WAS = re.compile(
    r"ancien|\bold\b|previous|former|plus (?:a |au )?\S*$|avant|\balt\w*|antigu|vecchi|\boude?\b|antig|non plus|not |pas |down at|tot |was "
)
_VALUE_NAMES = {
    "wrong-right": ("new_value", "old_value"),
    "old-new": ("old_value", "new_value"),
    "new-old": ("new_value", "old_value"),
}
_Value = tuple[str, int, int]


def values(message: Message, body: str) -> list[Field]:
    """Return the old and the new value of a correction, or the one of them that the message gives."""
    for pattern, order in _CHANGES:
        for match in pattern.finditer(body):
            groups = [_value(match, number) for number in (1, 2)]
            if any(value is None or not _telling(value, body) for value in groups):
                continue
            given = _VALUE_NAMES[order]
            if order == "wrong-right" and _WROTE.search(plain(body[max(0, match.start() - 40) : match.start()])):
                given = _VALUE_NAMES["old-new"]
            found = [Field(name, *value) for name, value in zip(given, groups, strict=True) if value]
            if found[0].text != found[1].text:
                return found
    contact = _contact(body)
    if contact:
        return contact
    old = _first(_SAYS_OLD, body, ())
    new = _first(_SAYS_NEW, body, (old,) if old else ())
    asked = _TURN_TO.search(body)
    turned = _value(asked, asked.lastindex or 1) if asked else None
    if turned and _telling(turned, body) and (old is None or turned[0] != old[0]):
        new = turned
    if old and new:
        return [Field("old_value", *old), Field("new_value", *new)]
    respelled = _respelled(message, body)
    if respelled:
        return respelled
    if old and not new:
        new = _said_behind(body, old)
        if new:
            return [Field("old_value", *old), Field("new_value", *new)]
    quoted = [value for match in _QUOTED.finditer(body) if (value := _value(match, 0))]
    if len(quoted) == 2 and old is None:
        return [Field("old_value", *quoted[0]), Field("new_value", *quoted[1])]
    if old is None and quoted:
        old = quoted[0]
    found = [Field("old_value", *old)] if old else []
    if new and old is None:
        found.append(Field("new_value", *new))
    return found


_PLAIN_NEW = re.compile(
    r"[»”\"]?[^.!?\n]{0,40}[.!?;,]\s{1,2}(?:(?:[Cc]['’](?:est|était)|[Ii]l (?:est|était)|[Ee]lle (?:est|était)|[Jj]e suis|[Ii]t['’]s|[Ii]t is|[Ss]he is|[Hh]e is|[Ii] am|[Ii]['’]m|[Ee]s ist|[Ii]ch bin|[Ee]s|[Ss]oy|[Èè]|[Ss]ono|[Hh]et is|[Ii]k ben|[Éé]|[Ss]ou) )([^.,;!?()\n]{2,32})(?=[.,;!?\n]|$)"
)
_BARE_NEW = re.compile(rf"[»”\"]?[^.!?\n]{{0,60}}[.!]\s({NAME})(?=[.,!]|$)")


def _said_behind(body: str, old: _Value) -> _Value | None:
    """Return what the next sentence puts in the place of a value in quotation marks, in plain words or in one."""
    for pattern in (_PLAIN_NEW, _BARE_NEW):
        match = pattern.match(body, old[2])
        value = _value(match, 1) if match else None
        if value and _is_quoted(old, body) and len(value[0].split()) <= 4 and plain(value[0]) not in _PRONOUNS:
            return value
    return None


def _first(pattern: re.Pattern[str], body: str, taken: Sequence[_Value]) -> _Value | None:
    """Return the first telling value after a cue, one in quotation marks before all others."""
    plain_one: _Value | None = None
    for match in pattern.finditer(body):
        value = _value(match, 1)
        if (
            value is None
            or not _telling(value, body)
            or any(value[0] == one[0] or (value[1] < one[2] and one[1] < value[2]) for one in taken)
        ):
            continue
        if _is_quoted(value, body):
            return value
        plain_one = plain_one or value
    return plain_one


def _is_quoted(value: _Value, body: str) -> bool:
    return value[1] > 0 and body[max(0, value[1] - 2) : value[1]].strip() in ("«", "“", '"', "„")


def _telling(value: _Value, body: str) -> bool:
    """A value is a name, a number, an address or something in quotation marks; a bare verb or article is none."""
    text = value[0]
    if _is_quoted(value, body):
        return True
    return (
        bool(re.search(r"[A-ZÀ-Ý0-9@]", text))
        and plain(text) not in _PRONOUNS
        and plain(text.split()[0]) not in _PRONOUNS
    )


def _respelled(message: Message, body: str) -> list[Field]:
    """Return two spellings of one name: that of the sender, or the later one, is the right one."""
    own = plain(message.from_name)
    found = [match for match in _SPELLED.finditer(body) if len(match[0]) > 3]
    names = [value for match in found[:40] if (value := _value(match, 0)) and plain(value[0]) not in _PRONOUNS]
    for index, (one, start, end) in enumerate(names):
        for other, begin, finish in names[index + 1 :]:
            first, second = plain(one), plain(other)
            if one == other or first[0] != second[0] or abs(len(first) - len(second)) > 4 or first == second:
                continue
            if len(first.split()) == len(second.split()) and SequenceMatcher(None, first, second).ratio() >= 0.72:
                if first + "s" == second or second + "s" == first or first + "'s" == second:
                    continue
                swapped = second not in own and first in own
                old, new = (
                    ((other, begin, finish), (one, start, end))
                    if swapped
                    else ((one, start, end), (other, begin, finish))
                )
                return [Field("old_value", *old), Field("new_value", *new)]
    return []


_SPELLED = re.compile(rf"{_QUOTE}|{NAME}")


def _contact(body: str) -> list[Field]:
    """Return the old and new address, mail or number of a message that says that one of them is new."""
    for pattern in (*ADDRESSES, EMAIL, PHONE):
        old = new = None
        for match in pattern.finditer(body):
            before = plain(body[max(0, match.start() - 60) : match.start()])
            if _WAS.search(before[-32:]):
                old = old or field_of("old_value", match)
            elif _MOVED.search(before):
                new = new or field_of("new_value", match)
        if new:
            return [old, new] if old else [new]
    only = _NEW_ONLY.search(body)
    value = _value(only, 1) if only else None
    return [Field("new_value", *value)] if value and _telling(value, body) else []


def _value(match: re.Match[str], number: int) -> _Value | None:
    text = match[number]
    if text is None:
        return None
    stripped = text.strip(_AROUND_VALUE)
    if not stripped:
        return None
    if re.search(r"(?:^|[ .])[A-ZÀ-Ý]$", stripped) and text[text.index(stripped) + len(stripped) :].startswith("."):
        stripped += "."
    start = match.start(number) + text.index(stripped)
    return stripped, start, start + len(stripped)


_RUN = re.compile(
    r"(?:(?:la coopérative|cabinet|syndicat|camp|[Vv]erein) )?[A-ZÀ-Ý][\w'’+-]{1,30}(?:(?: & | et | - | )(?:[A-ZÀ-Ý][\w'’.+-]{0,30}|e\.V\.)|(?: (?:de|des|du|of|der|di|von|van|les|la) | d['’]| l['’])[A-ZÀ-Ý][\w'’-]{1,30}| bauen e\.V\.){0,4}(?: e\.V\.)?"
)
_TO = re.compile(
    r"(?:\b(?:chez|vers|[àÀ]|au|aux|to|over to|across to|with|at|an|zu|bei|naar|alla?|allo|dal|au profit de|called|named|name of|nommée?|appelle|heißt|logiciel|système|prestataire|provider|employer|employeur|service|tool|app|application|platform|plateforme|software|hostel|agency|agence|association|coopérative|C['’]est|société|cabinet|dorthin|direkt an|directly|association|ei|para (?:o|a)?|al|ao|à la|à l['’]|en|[Ss]ono la)\b[ :,]{0,2}(?:la |le |l['’]|the |die |der |den |das |il |el |società |société |cabinet |association |agence |empresa |firma |Firma )?)$"
)


def recipient(message: Message, body: str, own: Field | None, addresses: Sequence[Field]) -> Field | None:
    """Return whom a file is to be given to: the name beside the address it goes to, or behind "to", "chez" …"""
    own_words = set(plain(message.from_name).split()) | (set(plain(own.text).split()) if own else set())
    best: Field | None = None
    rank = 2.0
    for match in list(_RUN.finditer(body))[:120]:
        field = trim("recipient", body, *match.span())
        folded = plain(field.text).split() if field else []
        if (
            field is None
            or own_words.intersection(folded)
            or _NO_RECIPIENT.intersection(folded)
            or plain(field.text) in NO_PERSON
        ):
            continue
        if folded[0] in NO_PERSON and len(folded) > 1:
            continue
        before = body[max(0, match.start() - 40) : match.start()]
        score = 1.5 if _TO.search(before) else 0.0
        for address in addresses:
            parts = address.text.lower()
            if any(len(word) > 3 and re.sub(r"\W", "", word) in re.sub(r"[\W_]", "", plain(parts)) for word in folded):
                score += 2.5
            gap = address.start - field.end
            if 0 <= gap <= 4 or 0 <= field.start - address.end <= 4:
                score += 2
        if (
            score == 1.5
            and not addresses
            and re.search(
                r"(?:[Tt]ransf|[Tt]ransmi|[Pp]ort|[Ee]nvoy|[Ss]end|[Pp]ass|[Bb]ascul|chez|[Ss]witch|[Mm]ov|[Üü]ber|[Ww]echs|[Pp]as[ae]r|système|system|tool|logiciel|employer|directly)",
                before,
            )
        ):
            score += 1
        if score > rank:
            best, rank = field, score
    return best


_NO_RECIPIENT = words(
    "mije paris json csv vous excel xml pdf api rgpd gdpr dsgvo monsieur madame art article you ihnen dpo bonjour hello"
)
