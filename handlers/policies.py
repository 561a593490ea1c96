"""What the organisation's published policies promise, against the law, the configuration, and each other.

Two notices are published; what they say was read promise by promise. :data:`PROMISES` holds those that the bot must not
repeat, or that contradict something; :func:`compared` says which, for the DPO, who alone can change a policy. Given the
texts themselves, only what they really say is reported.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from handlers.annex import problems
from handlers.linter import fold


@dataclass(frozen=True)
class Contradiction:
    """Something published or configured that something else contradicts, and what to do about it."""

    code: str
    places: tuple[str, ...]
    """Which promises (notice and number: S0-10), which setting, or which lines of a text."""
    against: str
    """The law, a setting, or another promise."""
    said: Mapping[str, str]
    """What is wrong and what to do, by language."""


@dataclass(frozen=True)
class Promise:
    """A kind of promise that cannot stand as published."""

    code: str
    places: tuple[str, ...]
    pattern: str
    """On folded text (lower case, no accents), a sentence at a time."""
    against: str
    said: Mapping[str, str]


def _promise(code: str, places: str, against: str, pattern: str, fr: str, en: str) -> Promise:
    return Promise(code, tuple(places.split()), pattern, against, {"fr": fr, "en": en})


PROMISES: tuple[Promise, ...] = (
    _promise(
        "systematic-identity-copy",
        "S0-10",
        "art. 12(6) GDPR; décret 2019-536 art. 77; CNIL SAN-2020-008",
        r"(?:copie|photocopie|copy)[^.]{0,40}(?:piece|carte|titre|document|id(?:entity)?)[^.]{0,30}(?:identit|passport|passeport|card)"
        r"|(?:accompagn|joindre|enclos|with a copy)[^.]{0,60}(?:identit|passeport|passport)",
        "La copie d'une pièce d'identité est exigée de tous : elle ne peut l'être qu'en cas de doute raisonnable. "
        "Retirez l'exigence ; dpobot demande selon le doute, par le moyen le moins intrusif.",
        "A copy of an identity document is required of everybody: it may be only on reasonable doubt. Remove the "
        "requirement; dpobot asks by the doubt, by the least intrusive means.",
    ),
    _promise(
        "identity-before-everything",
        "S1-13",
        "art. 12(6), 21(3), 38(4) GDPR",
        r"(?:verif\w+|check|confirm)[^.]{0,40}(?:identit)[^.]{0,60}(?:avant|before|prior)"
        r"|(?:avant|before)[^.]{0,50}(?:traiter|processing|trait\w+)[^.]{0,60}(?:demande|request|reclamation|complaint)"
        r"|(?:before)[^.]{0,60}(?:request|complaint)[^.]{0,60}identity",
        "L'identité serait vérifiée avant toute demande ou réclamation : ni une réclamation, ni une opposition à la "
        "publicité n'en demande. Limitez la phrase aux cas de doute.",
        "Identity is said to be checked before any request or complaint: neither a complaint nor an objection to "
        "advertising needs it. Limit the sentence to cases of doubt.",
    ),
    _promise(
        "post-only",
        "S0-08 S1-09",
        "art. 12(2)-(3) GDPR; S1-11",
        r"(?:par ecrit|in writing)[^.]{0,120}(?:courrier|adresse suivante|poste|post\b|address|r\.?a\.?r)"
        r"|(?:papier libre|plain paper|lettre recommandee|registered (?:letter|post))",
        "La demande se ferait par écrit et par la poste : tout canal convient. Citez aussi l'adresse électronique ; "
        "une lettre recommandée n'est jamais une condition.",
        "Requests are to be made in writing and by post: any channel will do. Name the e-mail address too; a registered "
        "letter is never a condition.",
    ),
    _promise(
        "complaint-conditions",
        "S1-10",
        "art. 38(4), 5(1)(c), 12(2) GDPR",
        r"(?:reclamation|plainte|complaint)[^.]{0,160}(?:adresse postale|postal address)[^.]{0,120}(?:motif|grounds|telephone)"
        r"|(?:motifs?|grounds) (?:de (?:votre|la) (?:reclamation|plainte)|for (?:your|the) complaint)",
        "Une liste de mentions est exigée pour se plaindre : un nom et un moyen de répondre suffisent, le reste est facultatif.",
        "A list of particulars is required for a complaint: a name and a way to answer are enough, the rest is optional.",
    ),
    _promise(
        "consent-article",
        "S0-03",
        "art. 7(3) GDPR",
        r"(?:retir|withdraw)[^.]{0,80}(?:article )?13[- .]?\(?2",
        "Le retrait du consentement est à l'article 7(3) ; l'article 13(2)(c) est le devoir d'en informer. Corrigez.",
        "The withdrawal of consent is in Article 7(3); Article 13(2)(c) is the duty to tell of it. Correct the reference.",
    ),
    _promise(
        "business-purposes",
        "S1-07",
        "art. 17(3) GDPR",
        r"(?:legitimate business|business or legal|fins (?:commerciales|professionnelles) (?:legitimes|ou))"
        r"|(?:interets?|motifs?|besoins?) commercia\w+ legitimes?",
        "Des « fins commerciales » sont invoquées pour conserver : l'article 17(3) n'en connaît pas. Nommez l'obligation "
        "légale ou la défense en justice.",
        '"Business purposes" are given as a ground for keeping data: Article 17(3) knows none. Name the legal obligation or '
        "the legal claim.",
    ),
    _promise(
        "no-sensitive-data",
        "S0-15 S1-21",
        "art. 9 GDPR; S1-21",
        r"(?:ne (?:collect|recueill|trait)\w+ (?:pas|aucune)|(?:does|do) not (?:collect|process))[^.]{0,30}(?:donnees? )?sensi",
        "Un texte dit qu'aucune donnée sensible n'est collectée, l'autre qu'il y a des données médicales, alimentaires, "
        "religieuses ou de handicap. Retirez la première phrase.",
        "One text says that no sensitive data are collected, the other that there are medical, dietary, religious or "
        "disability data. Remove the first sentence.",
    ),
    _promise(
        "wrong-laws",
        "S0-19",
        "loi 2004-575 du 21 juin 2004; loi 78-17 du 6 janvier 1978",
        r"21 juin 2014|june 21,? 2014|21 june 2014|6 aout 2004|august 6,? 2004|6 august 2004",
        "Deux lois sont citées sous de fausses dates : ce sont celles du 21 juin 2004 et du 6 janvier 1978 modifiée.",
        "Two Acts are cited by wrong dates: they are those of 21 June 2004 and of 6 January 1978, as amended.",
    ),
    _promise(
        "deemed-consent",
        "S1-20",
        "art. 4(11), 7(1) GDPR",
        r"(?:consentement|consent)[^.]{0,80}(?:repute|presume|deemed|presumed)",
        "Le consentement des accompagnants est réputé donné à la réservation : ce n'est pas un consentement. Fondez le "
        "traitement sur autre chose, et informez-les (article 14).",
        "The consent of fellow guests is deemed given on booking: that is no consent. Base the processing on something else, "
        "and inform them (Article 14).",
    ),
    _promise(
        "no-opt-out",
        "S1-25 S1-26",
        "art. 21(2)-(4) GDPR",
        r"(?!x)x",
        "La partie sur la prospection ne dit pas comment s'y opposer : ajoutez-le, clairement et à part. dpobot offre la "
        "voie dans ses lettres.",
        "The part on marketing does not say how to object: add it, clearly and separately. dpobot offers the route in its "
        "letters.",
    ),
    _promise(
        "destroy-on-death",
        "S0-06",
        "loi 78-17 art. 85 II",
        r"(?:deces|death)[^.]{0,200}(?:detrui\w+|destroy)",
        "Les données seraient détruites dès qu'un décès est connu : les héritiers ont d'abord leurs droits, et la loi ses "
        "durées. La carte demande de geler d'abord.",
        "Data are to be destroyed once a death is known: heirs have their rights first, and the law its periods. "
        "The card asks to freeze first.",
    ),
    _promise(
        "minors-representative-only",
        "S1-15",
        "art. 12 GDPR; CNIL, mineurs, recommandation 2",
        r"(?:seul|only)[^.]{0,40}(?:representant legal|legal representative)[^.]{0,60}(?:habilit|autoris|authori[sz]ed)",
        "Seul le représentant légal pourrait agir pour un mineur : celui-ci peut aussi exercer ses droits lui-même.",
        "Only the legal representative could act for a minor: the minor may exercise the rights as well.",
    ),
    _promise(
        "retention-conflict",
        "S0-17 S1-17 S1-18",
        "each other; CNIL (3 years after the last contact)",
        r"60 (?:mois|months)|(?:3|trois|three) (?:ans|years)[^.]{0,60}(?:anonymi)"
        r"|(?:5|cinq|five) (?:ans|years)[^.]{0,60}(?:suppression|deletion)",
        "Trois durées se contredisent : 60 mois, 3 ans après le dernier contact, 3 ans puis 5 ans. Fixez-en une par "
        "activité, et reportez-la au registre des traitements.",
        "Three periods contradict each other: 60 months, 3 years after the last contact, 3 then 5 years. Settle one for each "
        "activity, and put it into the register of processing.",
    ),
    _promise(
        "transfers-conflict",
        "S0-13 S1-23",
        "art. 13(1)(f), 15(2), 44-49 GDPR; each other",
        r"(?:hors|outside)[^.]{0,30}(?:de l'union europeenne|de l'europe|the european union|europe)"
        r"|caricom|(?:etats-unis|united states)[^.]{0,60}(?:autorite|authorit)",
        "Un texte exclut les transferts hors de l'Union sans avis préalable, l'autre en annonce. Nommez les pays et les "
        "garanties ; les réponses d'accès les indiquent (article 15(2)).",
        "One text rules out transfers outside the Union without prior notice, the other announces some. Name the countries "
        "and safeguards; access answers state them (Article 15(2)).",
    ),
    _promise(
        "breach-promise",
        "S0-14 S0-20 S1-26",
        "art. 33-34 GDPR",
        r"(?:incident|violation|breach)[^.]{0,160}(?:inform|notif)\w*[^.]{0,80}(?:client|utilisateur|user|customer)",
        "Les clients seraient informés de tout incident, même sans risque élevé : c'est plus que l'article 34, et c'est "
        "promis. La carte le rappelle à chaque signalement.",
        "Customers are to be told of any incident, even without a high risk: that is more than Article 34, and it is "
        "promised. The card recalls it with every report.",
    ),
)


def compared(
    settings: Mapping[str, Any], register: Sequence[Mapping[str, Any]], texts: Mapping[str, str] | None = None
) -> tuple[Contradiction, ...]:
    """Return every contradiction between published promises, configuration, register and law, in a fixed order.

    *settings*: the program's settings as plain data. *texts*: the policies themselves by name; without them, the promises
    read in the two notices that are published are all reported.
    """
    found = list(_published(texts))
    if texts is None or len(texts) > 1:
        found.append(
            _contradiction(
                "two-notices", "S0 S1" if texts is None else " ".join(texts), "art. 12(1), 13 GDPR",
                "Deux notices différentes sont en vigueur : laquelle vaut ? Gardez-en une, datée.",
                "Two different notices are in force: which one holds? Keep one, with a date.",
            )
        )  # fmt: skip
    found += _named(settings, texts)
    found += _configured(settings)
    languages = settings.get("languages", ("fr", "en"))
    found += [
        _contradiction("register-incomplete", "processing.toml", "art. 15(1), 30 GDPR", sentence, sentence)
        for sentence in problems(register, languages)
    ]
    return tuple(found)


def _contradiction(code: str, places: str, against: str, fr: str, en: str) -> Contradiction:
    return Contradiction(code, tuple(places.split()), against, {"fr": fr, "en": en})


def _published(texts: Mapping[str, str] | None) -> list[Contradiction]:
    if texts is None:
        return [Contradiction(p.code, p.places, p.against, p.said) for p in PROMISES]
    sentences = [(name, number, part) for name, text in texts.items() for number, part in _sentences(text)]
    found = []
    for promise in PROMISES:
        places = [f"{name}:{number}" for name, number, part in sentences if re.search(promise.pattern, part)]
        if promise.code == "no-opt-out":
            places = [name for name, text in texts.items() if _silent_on_objecting(fold(text))]
        if places:
            found.append(Contradiction(promise.code, tuple(dict.fromkeys(places)), promise.against, promise.said))
    return found


def _sentences(text: str) -> list[tuple[int, str]]:
    """Return (line, sentence folded): a sentence may run over lines, and is placed where it begins."""
    found = []
    for match in re.finditer(r"[^.!?;]+(?:[.!?;](?=\S)[^.!?;]*)*[.!?;]?", text):
        begin = match.start() + len(match[0]) - len(match[0].lstrip())
        if match[0].strip():
            found.append((text.count("\n", 0, begin) + 1, fold(match[0])))
    return found


def _silent_on_objecting(folded: str) -> bool:
    markets = re.search(r"prospection|newsletter|lettre d'information|marketing|campagnes?\b|campaigns?\b", folded)
    routes = (
        r"desinscri|desabonn|unsubscrib|opt[- ]?out|oppos\w+ a (?:la|cette|toute)? ?prospection"
        r"|object to (?:direct )?marketing"
    )
    return bool(markets) and not re.search(routes, folded)


def _named(settings: Mapping[str, Any], texts: Mapping[str, str] | None) -> list[Contradiction]:
    """People and addresses that the policies name, against the configuration."""
    dpo, organisation = settings["dpo"], settings["organisation"]
    whole = fold(" ".join(texts.values())) if texts is not None else None
    wanted = (
        ("dpo-name", "dpo.name", dpo["name"], "S1-01", "claude martinez"),
        ("dpo-contact", "dpo.email", dpo["email"], "S1-01 S1-11", "dpo@mije.com"),
        ("legal-representative", "organisation.legal_representative", organisation.get("legal_representative", ""),
         "S0-22", "remy vernay"),
    )  # fmt: skip
    found = []
    for code, setting, value, places, published in wanted:
        agrees = fold(value) in whole if whole is not None else fold(value) == published
        if not value or not agrees:
            found.append(
                _contradiction(
                    code, f"{places if texts is None else ' '.join(texts)} {setting}", "art. 13(1)(a)-(b) GDPR",
                    f"{setting} ne dit pas ce que les notices publient : corrigez l'un ou l'autre.",
                    f"{setting} is not what the notices publish: correct one or the other.",
                )
            )  # fmt: skip
    return found


def _configured(settings: Mapping[str, Any]) -> list[Contradiction]:
    """Settings that leave what the law or the authority accepts."""
    calendar, identity, retention = settings["calendar"], settings["identity"], settings["retention"]
    checks = (
        (calendar["rule"] != "edpb", "clock-rule", "calendar.rule", "Reg. 1182/71 art. 3; EDPB 01/2022",
         "Le délai n'est pas compté selon le CEPD : remettez « edpb ».",
         'The period is not counted as the EDPB does: set "edpb".'),
        (bool(calendar["pause_on_clarification"]), "clarification-pause", "calendar.pause_on_clarification",
         "décret 2019-536 art. 77",
         "Une question sur l'étendue suspend le délai : discuté en France, remettez « false ».",
         'A question about the scope suspends the period: disputed in France, set "false".'),
        (retention["identity_after_decision_hours"] > 24, "identity-copy-kept", "retention.identity_after_decision_hours",
         "CNIL SAN-2020-008; S1-29", "Une copie d'identité reste plus de 24 heures après la décision : réduisez.",
         "A copy of an identity document stays more than 24 hours after the decision: reduce it."),
        (identity["delete_after_days"] > 30, "identity-copy-undecided", "identity.delete_after_days", "art. 5(1)(e) GDPR",
         "Une copie d'identité sans décision reste plus de 30 jours : réduisez.",
         "A copy of an identity document without a decision stays more than 30 days: reduce it."),
        (retention["case_days"] > 6 * 365, "cases-kept", "retention.case_days", "art. 5(1)(e) GDPR; art. 2224 code civil",
         "Les dossiers restent plus de six ans après leur clôture : dites pourquoi, ou réduisez.",
         "Cases stay more than six years after closing: say why, or reduce it."),
        (settings["replies"]["acknowledge"] == "dpo", "acknowledgement-waits", "replies.acknowledge", "art. 12(2)-(3) GDPR",
         "Les accusés de réception attendent une personne : la demande de preuve part plus tard, et le délai court.",
         "Acknowledgements wait for a person: the request for proof leaves later, and the period runs."),
    )  # fmt: skip
    return [_contradiction(code, place, law, fr, en) for wrong, code, place, law, fr, en in checks if wrong]
