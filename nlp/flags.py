"""What a message's words say of its circumstances: the flags, and the evidence for those that the model learns."""

# ruff: noqa: E501  an expression in one line is easier to read than one in pieces

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence

from nlp.fold import Folded, fold
from nlp.openings import Index
from nlp.types import PRIMARIES, THIRD_PARTY_KINDS, Message

_FLAG_CUES: dict[str, re.Pattern[str]] = {
    name: re.compile(pattern)
    for name, pattern in {
        "health_data": r"allerg\w+|asthm\w+|medic(?:al|ament|aux|ale|ales|ation|in)\w*|sanitaire|sante\b|health|handicap\w*|disabil\w+|fauteuil roulant|wheelchair|diabet\w+|epilep\w+|maladie\w*|psycholog\w+|psy\b|traitement medical|inhaler|coeliac|celiac|intoleran\w+|vaccin\w*|ordonnance(?! du)|antidepress\w+|grossesse|pregnan\w+|hospital\w*|certificat medical|gesundheit\w*|krank\w*|salud\b|salute\b|gezondheid|saude\b|carte vitale|numero de secu\w*",
        "image_rights": r"photos?\b(?! d'identite| de (?:ma|mon|la) (?:carte|passeport))|fotos?\b|videos?\b|\bimage\b|images\b|filme\w*|filmer|film\b|clip\b|instagram|insta\b|tiktok|facebook|youtube|pictures?\b|pics?\b|banner|portrait\b|cliches?\b|droit a l'image|story\b|trombinoscope|bild(?:er)?\b|immagin\w+|imagens?\b",
        "litigation": r"tribunal|avocat\w*|prud'?hom\w*|contentieux|litige|huissier|mise en demeure|assign\w+|refere\b|juge\b|jugement|proces\b|plainte (?:a ete )?(?:deposee|au commissariat)|depot de plainte|expertise|conseil de m\.|lawyer\w*|attorney|solicitor\w*|barrister|court\b|lawsuit|litigation|legal (?:claim|action|proceedings)|small claims|consumer forum|anwalt\w*|rechtsanwalt\w*|gericht\b|abogad\w+|avvocat\w+|advocaat|advogad\w+|chambre disciplinaire|mediateur",
        "press": r"journalist\w*|redaction\b|reportage|enquete journalistique|hebdo\b|quotidien\b|magazine\b|freelance pour|pigiste|podcast|serie audio|newspaper|editorial|press (?:office|inquiry|request)|for an article|un papier sur",
        "employee": r"salarie\w*|employeur|bulletin de (?:salaire|paie)|fiche de paie|dossier du personnel|personnel file|mon contrat de travail|mon embauche|licenci\w+|solde de tout compte|j'ai travaille (?:chez|pour) vous|ancien(?:ne)? (?:salarie\w*|employe\w*|animat\w+|stagiaire)|pay ?slips?|payroll|la paye\b|dpae|certificat de travail|candidature|postule|j'etais (?:animat\w+|receptionniste|veilleur)|my employment|i worked (?:for|at)|former employee|trainee\b|mon stage|stagiaires?\b|veilleur de nuit|hr department|benevole\w*|logiciel de paie",
        "urgent_tone": r"urgen\w+|immediat\w*|tout de suite|aujourd'hui(?: meme)?\s?!|au plus vite|sans delai|dans les plus brefs|sous 48|au secours|help\b.{0,20}!|asap\b|immediately|right now|at once\b|within (?:24|48|two|2) hours?|tonight\b|\bnow!|!{2,}|\?{2,}|dringend|sofort|urgente|subito|onmiddellijk|spoed|des que possible",
        "mentions_authority": r"\bcnil\b|\bico\b|information commissioner|autorite de (?:controle|protection)|supervisory authorit\w+|data protection (?:authority|commission\w*)|garante\b|aepd|datenschutzbehorde|aufsichtsbehorde|autoriteit persoonsgegevens|cnpd\b|\bapd\b|\bdpc\b|police\b|procureur|defenseur des droits|commission nationale de l'informatique|gendarmerie|regulator\b",
        "bulk_platform": r"our user\b|notre utilisat\w+|on behalf of (?:our|the) (?:user|member)|mandat signe electroniquement|signed electronically|mandate (?:signed|linked)|limited power of attorney|\blot \d{4,}|compliance index|nos membres listes|demandes via|privacy platform|scan of (?:his|her|their) inbox|\[[a-z]{1,3}-\d{5,}\]|unsubscribe service|via (?:effacio|incognita|deseat|mine)\b",
    }.items()
}
FLAGS_BY_RULE = ("press", "employee", "bulk_platform")
LEARNED_FLAGS = (
    "third_party",
    "minor",
    "health_data",
    "image_rights",
    "litigation",
    "urgent_tone",
    "mentions_authority",
)
_MINOR_AGE = re.compile(
    r"(?:(?<=ai )|(?<=age de )|(?<=agee de )|(?<=age )|(?<=aged )|(?<=i'm )|(?<=im )|(?<=i am )|(?<= a )|(?<=, )|(?<=,)|(?<=\()|(?<=\( ))(?:[3-9]|1[0-7]) ?(?:ans\b|years?\b|yo\b|yrs?\b|\)|,|jahre|anos|anni|jaar)|(?:seize|quinze|quatorze|treize|douze|onze|dix|neuf|huit|sept|six|dix-sept) ans\b|(?:sixteen|fifteen|fourteen|thirteen|twelve|eleven|ten|nine|eight|seven|seventeen)(?: years? old|,| and\b)|aged? (?:[3-9]|1[0-7])\b|\b(?:[3-9]|1[0-7])[- ]years?[- ]old|(?:son|daughter|fils|fille|kid|boy|girl) \w+, (?:[3-9]|1[0-7])\b|\b(?:ist|bin|hat|is|ben|tiene|tengo|ha|ho|tem|tenho) (?:erst |pas |net |solo |appena |so |nur )?(?:[3-9]|1[0-7])\b(?! ?(?:uhr|euro|€|tage|nachte|noches|notti|nights|days|h\b|mal\b))|\b(?:[3-9]|1[0-7])[- ]jahrig|\b(?:de|con|von|di|van) (?:[3-9]|1[0-7]) (?:anos|anni|jahren|jaar)|\bne[e]? (?:le|en) (?:[\d/. ]{2,6}|\d{1,2} \w+ )?20(?:09|1\d|2\d)\b|(?:born|geboren|nat[oa]|nacid[oa]|nascid[oa])\b[^.\n]{0,24}\b20(?:09|1\d|2\d)\b|\bgrade [1-9]\b|\ben (?:6|5|4|3)e\b|\bin der [1-9]\. klasse"
)
_OWN_AGE = re.compile(
    r"\b(?:j'ai|i am|i'm|im|ich bin|tengo|ho|ik ben|tenho) (?:[5-9]|1[0-7]) (?:ans\b(?! d[e'])|years? old|yo\b|jahre alt|anos\b|anni\b|jaar\b)"
)
"""The writer's own age, said outright: a minor, whatever else the text is like (not 17 years *of* something)."""
_MINORS = re.compile(
    r"\bmineure?s?\b|\bminors?\b|mon (?:petit|gamin|garcon)\b|ma (?:petite|gamine)\b|\beleves?\b|\becoliers?|collegiens?|lyceens?|\bcolos?\b|colonie|classe de (?:cp|ce|cm|6|5|4|3)|\bcm[12]\b|\bcp\b|la classe\b|camarades de classe|\bpupils?\b|schoolchildren|\byear (?:[3-9]|1[0-3])\b|my (?:kid|kids|little)|our pupils|scouts?\b|fiches? sanitaires? (?:de|des)|\bbebe|schuler|alumnos|alunni|leerlingen|alunos|minderjahr\w*|enfants?\b|children\b|school trip|choir(?:boys|girls)|petits\b|autorisation parentale|louveteaux|les jeunes\b"
)
_OWN_CHILD = re.compile(
    r"\b(?:mon fils|ma fille|mes (?:enfants?|filles|fils|petits)|mon enfant|notre (?:fils|fille|enfant|petit|petite)|nos (?:enfants|fils|filles|petits)|(?:le|la) (?:petite?|gamine?) (?:a|est|n'|ne|dort|avait)|du petit\b|de la petite\b|ma puce|mon petit-fils|ma petite-fille|mon filleul|mon (?:petit|gamin|garcon)\b|ma (?:petite|gamine)\b|my (?:\w+ )?(?:son|daughter|child|kid|kids|children|boy|girl|lad|lass|girls|boys|sons|daughters|wee one|grandson|granddaughter)\b|our (?:\w+ )?(?:sons?|daughters?|child|kids?|children|boys?|girls?)|(?:mein|unser)(?:e[nmrs]?)? (?:sohn|tochter|kind|kinder|junge|enkel\w*)|unsere[nr]? kindern?|(?:mi|nuestr[oa]) (?:hij[oa]|nin[oa]|nieto)|mis hijos|(?:el|la|del|al) nin[oa]\b|(?:mi[oa]|nostr[oa]|mia) figli[oa]|miei figli|nostri figli|(?:mijn|onze|ons) (?:zoon|zoontje|dochter\w*|kind|kinderen)|(?:o meu|a minha|do meu|da minha|nosso|nossa|meu|minha) filh[oa]|meus filhos|(?:pere|mere|maman|papa|parents?) de\b|(?:mother|father|mum|dad|parent) of\b)(?!(?:'s)? (?:me dit|m'a dit|m'aide|dit que|says|said|told|tells|helped|helps|typed|types|tape|ecrit pour|sagt|hilft|dice|zegt|schrijft|tippt|is typing|is helping))"
)
_MANDATE = re.compile(
    r"\b(?:mon client|ma cliente|my client|our client|notre (?:client|cliente|utilisat\w+|adherent\w*)|our user|on behalf of|au nom de (?:m|la|mon|ma)|pour le compte de|mandat\b|mandate\w*|procuration|power of attorney|je represente|i represent|we represent|acting for|tutelle|curatelle|tuteur|guardian of|nos (?:\w+ )?(?:eleves|adherents|membres|salaries|jeunes|clients|licencies|familles|enfants|sportifs|choristes|groupes)|mes (?:\d+ )?(?:eleves|clients|etudiants)|(?:my|our) (?:pupils?|clients?|students?|members?|users?|choristers|players|runners|scouts|residents|tenants|ward|patients?)|my (?:mother|father|wife|husband|mum|dad|nan|gran|uncle|aunt|brother|sister)'s|mandant\w*|vollmacht\w*|mandato|mandatari\w*|constituinte|volmacht|procura\b|procuracao|assistit[oa]|per conto d\w+|en nombre de|im namen (?:von|unser)|namens (?:hen|mijn|van|unser)|(?:nuestr|vostr|nostr|noss)[oa]s (?:alumn|alunn|alun|client|chicos|corredor|grup|soci|ragazzi)\w*|mis (?:\d+ )?alumn\w*|miei (?:\d+ )?alunni|mijn leerlingen|onze leerlingen|meine[rn]? (?:schuler\w*|klasse|klient\w*)|unsere[rn]? (?:schuler\w*|kundin|kunden|mitglied\w*)|protegee?|majeur protege|a la demande de m(?:me|\.|onsieur|adame)|qui n'a pas (?:internet|de mail)|me charge de|m'a demande de vous ecrire|has asked me to write|instructed by|betreute[rn]?\b|vormund\w*|bewindvoerder|amministratore di sostegno)\b"
)
_DECEASED = re.compile(
    r"\b(?<!mon )(?<!my )(?:deced\w+|acte de deces|est mort\w*|defunt\w*|s'est eteint\w*|nous a quittes?|succession|feue? (?:mon|ma)|died\b|passed away|deceased|late (?:husband|wife|father|mother|brother|sister|son)|has died|is dead|we lost our|the estate|verstorben\w*|gestorben|heimgegangen|nachlass\w*|erbschein|fallec\w+|murio\b|muerto\b|decedut\w+|(?:e|sia) (?:morto|morta|mancat[oa])|mancat[oa] (?:a|il|mia|mio|un)|overleden|overlijden|falecid\w+|faleceu|morreu|obsequies|funeral|enterrement|n'est plus de ce monde|lost (?:my|our|him|her)|mort (?:le|en|au|a|dans)\b|morte (?:le|en|au|a)\b|is gone\b|est parti le|nous a quitte\w*)\b"
)


_WITHIN = {
    "health_data": re.compile(r"\Ballerg|\Bkrank|\Bintoleran"),
    "image_rights": re.compile(r"\Bfotos?\b|\Bbild(?:er)?\b|\Bvideos?\b"),
    "litigation": re.compile(r"\B(?:anwalt|gericht\b)"),
}
"""What may stand at the end of a longer word, in the languages that join words."""


def _alternatives(pattern: str) -> list[str]:
    """Return the parts of *pattern* that "or" divides, outside of brackets."""
    found, part, depth, listed = [], "", 0, False
    for piece in re.findall(r"\\.|.", pattern, re.DOTALL):
        if listed:
            listed = piece != "]"
        elif piece == "[":
            listed = True
        elif piece in "()":
            depth += 1 if piece == "(" else -1
        if piece == "|" and depth == 0 and not listed:
            found.append(part)
            part = ""
        else:
            part += piece
    return [*found, part]


def _cues() -> list[tuple[str, re.Pattern[str]]]:
    told = {
        **_FLAG_CUES,
        "age": _MINOR_AGE,
        "own age": _OWN_AGE,
        "minors": _MINORS,
        "own child": _OWN_CHILD,
        "mandate": _MANDATE,
        "deceased": _DECEASED,
    }
    return [(name, re.compile(part)) for name, pattern in told.items() for part in _alternatives(pattern.pattern)]


_CUES = _cues()
_INDEX = Index([expression for _, expression in _CUES])

FlagScore = Callable[[str, Sequence[float]], bool]
"""Whether a flag that the model has learned is raised, given its name and what is said for it."""
_OTHER = {"third_party": "minor", "minor": "third_party"}


def flags(
    message: Message, folded: Folded, primary: str, decide: FlagScore, cats: Mapping[str, float]
) -> dict[str, bool | str]:
    """Return the flags that are raised, and the kind where a third party is concerned.

    Rules speak alone where words are plain; where they are not, *decide* joins them with what the model has
    learned: *cats* holds what its heads say, by their names.
    """
    text = flag_text(message, folded)
    cues = flag_cues(text)
    raised: dict[str, bool | str] = {}
    for name in FLAGS_BY_RULE:
        if name in cues:
            raised[name] = True
    for name in LEARNED_FLAGS:
        if decide(name, flag_evidence(name, cues, primary, cats)):
            raised[name] = True
    if "own age" in cues:
        raised["minor"] = True
    if "third_party" in raised:
        raised["third_party_kind"] = third_party_kind(cues, primary, cats)
    if message.reply_to and message.from_email and message.reply_to.lower() != message.from_email.lower():
        raised["reply_to_differs"] = True
    return raised


def flag_text(message: Message, folded: Folded) -> str:
    """Return the folded text in which flags are looked for: subject and body."""
    return f"{fold(message.subject[:400]).text}\n{folded.text}"


def flag_cues(text: str) -> frozenset[str]:
    """Return the names of the cues that stand in *text*, which is folded: flags, and what speaks for some of them."""
    found = {_CUES[number][0] for number, _, _ in _INDEX.find(text)}
    found |= {name for name, pattern in _WITHIN.items() if name not in found and pattern.search(text)}
    return frozenset(found)


def flag_evidence(name: str, cues: frozenset[str], primary: str, cats: Mapping[str, float]) -> list[float]:
    """Return what speaks for flag *name* besides its own head, in the order that its regression was fitted on.

    For a third party and for minors that is also what the neighbouring heads say, and of what kind the message is:
    a child in a question about luggage is nobody's request.
    """
    if name not in _OTHER:
        return [float(name in cues)]
    told = ("own child", "mandate", "deceased") if name == "third_party" else ("age", "minors", "own child")
    given = [float(cue in cues) for cue in told]
    bare = float(primary in ("not_request", "spam", "auto_reply", "bounce"))
    heads = [cats[f"flag:{_OTHER[name]}"], *(cats[f"flag:third_party_kind={kind}"] for kind in THIRD_PARTY_KINDS)]
    return [
        *given,
        *(_logit(probability) for probability in heads),
        *(bare * one for one in given),
        bare * _logit(cats[f"flag:{name}"]),
        *(float(primary == one) for one in PRIMARIES),
    ]


def third_party_kind(cues: frozenset[str], primary: str, cats: Mapping[str, float]) -> str:
    """Return the likeliest kind of third party."""
    cued = {
        "deceased": "deceased" in cues or primary == "post_mortem",
        "minor_child": "own child" in cues,
        "mandate": "mandate" in cues,
        "authority": primary == "authority",
        "unrelated": primary == "breach_report",
    }
    return max(THIRD_PARTY_KINDS, key=lambda kind: _logit(cats[f"flag:third_party_kind={kind}"]) + 1.5 * cued[kind])


def _logit(probability: float) -> float:
    clipped = min(max(probability, 1e-4), 1 - 1e-4)
    return math.log(clipped / (1 - clipped))
