"""The expressions that several readers of fields share: dates, names, addresses; and a field itself.

Every expression reads a hostile text in linear time: what repeats is bounded, and nothing that repeats holds
another repetition of the same characters.
"""

# ruff: noqa: E501  an expression in one line is easier to read than one in pieces

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass


def words(text: str) -> frozenset[str]:
    """Return the words of *text*."""
    return frozenset(text.split())


@dataclass(frozen=True)
class Field:
    """A value found in the message, with its offsets in the body (-1 where it stands in the subject)."""

    name: str
    text: str
    start: int
    end: int


def field_of(name: str, match: re.Match[str], group: int = 0) -> Field:
    """Return a group of *match* as a field, without the punctuation around it."""
    start, end = match.span(group)
    text = match[group]
    stripped = text.strip(" ,;:.-\t\n\r\u00a0")
    offset = start + text.index(stripped) if stripped else start
    return Field(name, stripped, offset, offset + len(stripped)) if stripped else Field(name, text, start, end)


def _plain_letters() -> dict[int, str]:
    table = {ord(character): "'" for character in "’‘ʼ′`´＇"} | {0xA0: " ", 0x202F: " ", 0x2009: " "}
    for code in (*range(0x41, 0x5B), *range(0xC0, 0x250), *range(0x1E00, 0x1F00)):
        base = unicodedata.normalize("NFKD", chr(code))[0].lower()
        if len(base) == 1:
            table[code] = base
    for pair in ("ßs", "øo", "Øo", "łl", "Łl", "đd", "Đd", "ıi", "œo", "Œo", "æa", "Æa"):
        table[ord(pair[0])] = pair[1]
    return table


_PLAIN = _plain_letters()


def plain(text: str) -> str:
    """Return *text* in small letters without accents, of exactly the same length: offsets stay what they are."""
    return text.translate(_PLAIN)


_MONTHS = (
    r"(?:janvier|janv|f[ée]vrier|f[ée]vr|f[ée]v|mars|avril|avr|mai|juin|juillet|juil|ao[uû]t|septembre|sept|octobre|oct|novembre|nov|d[ée]cembre|d[ée]c"
    r"|january|jan|february|feb|march|mar|april|apr|may|june|jun|july|jul|august|aug|september|sep|october|november|december|dec"
    r"|januar|jänner|janner|februar|märz|marz|juni|juli|oktober|dezember|enero|febrero|marzo|abril|mayo|junio|julio|agosto|septiembre|setiembre|octubre|noviembre|diciembre"
    r"|gennaio|febbraio|aprile|maggio|giugno|luglio|settembre|ottobre|dicembre|januari|februari|maart|mei|augustus"
    r"|janeiro|fevereiro|março|marco|maio|junho|julho|setembro|outubro|novembro|dezembro)(?![^\W\d_])\.?"
)
YEAR = r"(?:1[89]|20)\d{2}"
DAY = r"(?:3[01]|[12]\d|0?[1-9])(?:er|st|nd|rd|th|ère|\.|º|°|ª)?(?!\d)"
MONTH = _MONTHS
_OF = r"(?:,? (?:de |del |of )?)"
TEXTUAL = rf"(?:{DAY} (?:de |of |di |d['’])?{_MONTHS}(?:{_OF}{YEAR})?|{_MONTHS} (?:the )?{DAY}(?:,? {YEAR})?)"
NUMERIC = rf"(?:\d{{1,2}}[/.-]\d{{1,2}}[/.-](?:{YEAR}|\d{{2}})(?!\d)|\d{{1,2}}\. \d{{1,2}}\. {YEAR}|{YEAR}[/-]\d{{2}}[/-]\d{{2}}(?!\d))"
DATE = rf"(?:{NUMERIC}|{TEXTUAL})"

EMAIL = re.compile(r"[\w.+'-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,5}")
PHONE = re.compile(
    r"(?<![\w/.-])(?:\+\d{1,3}[\s.()-]{0,2}(?:\(0\)\s?)?\d{1,4}(?:[\s./-]?\d{1,5}){1,5}|00\d{2}[ .]?\d{1,4}(?:[ .-]?\d{2,5}){1,4}|0\d(?:[\s.-]?\d{2}){4}|0\d{9}|07\d{3}[ -]?\d{6}|0\d{3} \d{2} \d{2} \d{2}|0\d{2,4}[ /-]\d{3,8}(?: ?\d{2,4}){0,2}(?: \d)?|\(?\d{3}\)?[ -]\d{3}[ -]\d{4}|[3679]\d{2} ?\d{2,3} \d{2,3} \d{2,4}|9\d{2} \d{3} \d{3})(?![\w/@-])"
)

_STREETS = r"(?:rue|avenue|av\.|boulevard|bd|place|impasse|all[ée]es?|chemin|quai|route|cours|square|venelle|passage|sentier|faubourg|villa|cit[ée]|r[ée]sidence|lotissement|lieu-dit|mont[ée]e|promenade|ruelle|esplanade|clos|traverse|hameau)"
_TOWN = r"[A-ZÀ-Ý][\w'’]{1,25}(?:[ -](?:[A-ZÀ-Ý][\w'’]{1,25}|(?:la|le|les|sur|sous|en|de|du|des|lès|aux)(?=[ -]))){0,5}"
_FRONT = r"(?:(?:[Rr]ésidence|[Bb]âtiment|[Bb]ât\.?|[Aa]ppt?\.?|[Aa]ppartement|[Cc]hez|[Ll]e|[Ll]a) [^\n,;.\d]{1,30}(?:\d{1,3})?, )?"
ADDRESSES: tuple[re.Pattern[str], ...] = (
    re.compile(
        rf"\b{_FRONT}\d{{1,4}}(?: ?(?:bis|ter|quater|[A-D]\b))?,? (?i:{_STREETS})\b[^\n,;.:!?]{{2,45}}(?:, ?|\n| - | )(?:[^\n,;.:!?\d]{{2,30}}, ?)?\d{{5}} {_TOWN}"
        rf"|\b\d{{1,4}}(?: ?(?:bis|ter))?,? (?i:{_STREETS})\b[^\n,;.:!?]{{2,40}}(?:, |\n| à (?=[A-ZÀ-Ý])){_TOWN}(?: \d{{1,2}}e)?"
    ),
    re.compile(
        r"\b(?:(?:[Cc]alle|C/|[Aa]venida|[Aa]vda\.?|[Pp]laza|[Pp]aseo|[Vv]ia|[Vv]iale|[Pp]iazza|[Cc]orso|[Vv]icolo|[Rr]ua|[Tt]ravessa|[Ll]argo|[Pp]raça|[Aa]v\.) ?[A-ZÀ-Ýdl][^\n,;:!?\d]{1,40},? ?(?:n\.? ?[ºo°]? ?)?\d{1,4}[a-zA-Z]?(?:, \d\.?[ºªo°][^\n,;]{0,12})?(?:(?:, ?| - |\n)(?:\d{4,5}(?:-\d{3})? )?[A-ZÀ-Ý][\w'’-]{1,25}(?: [A-ZÀ-Ý][\w'’-]{1,25}){0,2})?)"
    ),
    re.compile(
        r"\b(?:[A-ZÄÖÜ][\wäöüß.-]{1,30} )?[A-ZÄÖÜ][\wäöüß.'’-]{2,40} \d{1,4}(?:/\d{1,3})?(?: ?[a-z]\b)?,? ?\n?(?:D-|A-|CH-|NL-)?\d{4,5} (?:[A-Z]{2} )?[A-ZÄÖÜ][\wäöüß-]{1,30}(?: (?:am|an der|im|bei) [A-ZÄÖÜ][\wäöüß-]{1,20}| [A-ZÄÖÜ][\wäöüß-]{2,20})?"
    ),
    re.compile(
        r"\b(?:(?:[Ff]lat|[Aa]pt\.?|[Aa]partment|[Uu]nit) \w{1,4}, )?(?:\d{1,5}[a-z]? (?:[A-Z][\w'’]{1,20} ){1,3}(?:Street|St|Road|Rd|Lane|Avenue|Ave|Close|Drive|Way|End|Court|Crescent|Terrace|Gardens?|Place|Square|Hill|Row|Mews|Gate|Arcade|Cottages|Grove|Park|Walk|View|Green|Rise|Parade|Boulevard|Blvd)\b\.?|\d{1,4} The [A-Z]\w{2,20}(?=,)"
        r"|(?:The )?(?:[A-Z][\w'’]{1,20} ){1,2}(?:House|Cottage|Rectory|Farm|Lodge|Barn|Vicarage)\b(?=,))(?:(?:, |\n(?=[A-Z][a-z]{2,20} [A-Z]{1,2}\d))[A-Z0-9][\w'’-]{1,20}(?: [A-Z0-9][\w'’-]{0,20}){0,2}){0,3}"
        r"|\b(?:[Ff]lat|[Aa]pt\.?) \w{1,4}, (?:The )?[A-Z]\w{2,20}(?: [A-Z]\w{2,20}){0,2}(?:, [A-Z0-9][\w'’-]{1,20}(?: [A-Z0-9][\w'’-]{1,20})?){1,3}"
    ),
    re.compile(r"\b[A-ZÀ-Ý][\w'’-]{2,20}(?: [\w'’-]{2,20}){0,2}, \d{5} [A-ZÀ-Ý][\w'’-]{1,30}"),
)

TITLE = r"(?:Gp Capt|SSgt|D/Garda|DC \d{1,6}|KHK|RA(?:in)?|M(?:me|lle|gr|\.|onsieur|adame|ademoiselle|a[îi]tre|e|ag\.|evr\.?|evrouw|eneer|ijnheer|iss)|Mr\.?|Mrs\.?|Ms\.?|Dr\.?(?: med\.)?|Dott\.?(?:ssa)?|Avv\.|[Pp]rof\.?(?:ssa)?|Ing\.|Dipl\.-Ing\.|Sir|Lady|Herrn?|Frau|Se[ñn]ora?|Sra?\.?|Sig\.(?:ra)?|Signora?|[Dd]on|[Dd]oña|D\.ª|[Dd]hr\.?|[Dd]rs\.|[Mm]evr\.?|[Mm]w\.|[Pp]asteur|[Pp]astor|[Pp]ère|[Ss](?:œ|oe)ur|[Ss]ister|Fr\.|Rev\.?|Reverend|[Ff]ather|Don|Doña|Capt\.|[Ii]nspect(?:eur|rice|or)|[Aa]djudant|[Bb]rigadi[eè]re?|[Cc]apitaine)"
_NAME_WORD = r"(?:[A-ZÀ-ÝŁŚŻ](?:[^\W\d_]{1,25}(?:['’-][^\W\d_]{1,25}){0,3}|['’][A-ZÀ-Ý][^\W\d_]{1,25}|\.)|(?:d[eu]|des|von|van|der|den|di|da|dos|do|le|la|el|al|bin|zu|of)(?= (?:de |la |den |der )?[A-ZÀ-ÝŁŚŻ]))"
NAME = rf"[A-ZÀ-ÝŁŚŻ](?:[^\W\d_]{{1,25}}(?:['’-][^\W\d_]{{1,25}}){{0,3}}|['’][A-ZÀ-Ý][^\W\d_]{{1,25}}|\.)(?:[ -]{_NAME_WORD}){{0,4}}"
ORGANISATION = words(
    """
    ab ag agence agency aire amicale amt antenne archives asbl asociacion asso association associacao associazione
    ausbildung auberge authority autoridad autorite autoriteit bahn bank banque behorde bibliotheque brigade bureau
    bundesdatenamt cabinet camp casework centre center central centro chambre club clubs cnil co collectif college
    colegio comite commissaires commission commissariat compagnie company conseil consulado consulat consulate contact
    controls council court crew croix daten datenschutz data delivery department dept desk direction dpo ecole editions
    eglise equipe escuela ets ev events fachstelle federation festival fondation foundation foyer france garante garda
    gericht gesellschaft gmbh group groupe greffe grundschule gymnasium help hotel hostel hostels ihre inc incoming
    info institut institute international jugend jugendring justice klasse klassenfahrten kinder konsulat kvk landesamt
    lavoro liceo liga llc llp ltd lycee mail mairie maison maitrise ministere mutuelle national news newsletter nord
    notaires office offices ong organisme ospedale parents paris parquet police polizei polizeiprasidium polisportiva
    posta postmaster prefecture primary privacy procure protection queen recherche redaction registry regie reisbureau
    reisen residence responsable reunion royal sa sarl sas scouts school schule schulamt scuola secretariat section
    secours securite security sekretariat selarl service services sicherheit societa societe society solutions sport
    stadt stiftung student studio support syndicat syndicale system systeme team teamet tours travel trafic trust
    tribunal uk union universidad universitat universite university verband verein vereniging ville voyage voyages
    youth zentrale ligue caisse assurance agenzia comune ayuntamiento gemeente stichting raad ufficio abteilung
    scp selas etude ase bac fcpe peep sgdf apf udaf testamentaire executeur executrice collectif notaire collegium
    president presidente presidentin tresorier tresoriere secretaire directeur directrice officer juge case duty compliance repondre repondez stop oui annuaire officiel pro procurement cse comptabilite chef voir
    """
)
