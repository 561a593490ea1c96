"""Objection: no to advertising, profiling, passing on, filming, without having consented (art. 21 GDPR)."""

from __future__ import annotations

import re

from handlers.opening import answer_letter, open_request
from handlers.tasks import MEDIA
from handlers.types import Letter, Outcome, Right, Situation, Task
from store.models import CaseFacts


def open_case(case: CaseFacts, situation: Situation) -> Outcome:
    """Acknowledge and stop at once: against advertising it is absolute, without reason or proof (art. 21(2)-(3))."""
    return open_request(case, situation)


def answer(case: CaseFacts, situation: Situation) -> Letter:
    """Say what was stopped and since when; where it is not advertising, the outcome of the balance of art. 21(1)."""
    return answer_letter(case, situation)


_ADVERTISING = re.compile(
    r"pub(?:s|licit\w*)?\b|prospect|demarch|newsletter|lettres? d'information|promo\w*|offres?\b|reclame|mailing|e-?mailing"
    r"|campagne|commercia|marketing|spam|sms\b|desinscri|desabonn|unsubscri|opt[- ]?out|mailing list|advert\w*|\bads?\b"
    r"|offers?\b|sales|brochure|catalog|\bstop\b|appel\w*|call(?:s|ing)?\b|sollicit|solicit"
)
_OTHER_USE = re.compile(
    r"profil\w*|filme\w*|camera|videosurveill|enregistr\w+ (?:video|sonore)|cctv|film(?:ed|ing)|footage|transmi\w+|communiqu\w+ a"
    r"|partag\w+|pass(?:ed|ing)? on|shar(?:e|ed|ing)|third part|partenaires?|scoring|statisti|analys"
)


def about_advertising(folded: str) -> bool:
    """Say whether an objection, as a text without accents in lower case, is (also) about advertising: absolute, art. 21(2).

    Where nothing says so, and another use is named, it is one of art. 21(1); where neither is, advertising is assumed, since
    stopping it harms nobody.
    """
    return bool(_ADVERTISING.search(folded)) or not _OTHER_USE.search(folded)


RIGHT = Right(
    name="objection",
    article="21",
    titles={"fr": "opposition", "en": "objection"},
    identity_level=0,
    at_once=True,
    open=open_case,
    answer=answer,
    cues={
        "fr": (
            r"(?:je |nous )?(?:m'|nous |s')(?:y )?oppos\w+",
            r"droit d'opposition|mon opposition|leur opposition",
            r"\barticle 21\b",
            (
                r"(?:arret\w+|cess\w+|stop\w*)<_>(?:pub\w*|mails?|sms|messages?|envo\w+|appel\w*|appeler|"
                r"demarch\w+|ecrire|contacter|solliciter|courriers?|offres?|relance\w*|promos?|newsletters?|"
                r"filmer|prospect\w+|telephoner)"
            ),
            (
                r"(?:ne |n')(?:(?:me|nous|lui|les|m'|leur|la|le|l'|y|en|plus|vous) ?)*(?:envo\w+|adress\w+|"
                r"appel\w+|contact\w+|ecriv\w+|sollicit\w+|rappel\w+|demarch\w+|filme\w*|donn\w+|transmet\w+|"
                r"passez|communiqu\w+|partag\w+)<_>(?:plus|jamais|rien|pas)\b"
            ),
            r"ne (?:veux|souhaite|desire|voulons|souhaitons)<_>plus<_>(?:recevoir|etre|de |vos|vous|qu)",
            (
                r"plus (?:de |d')(?:pub\w*|mails?|sms|courriers?|appels?|newsletters?|promo\w*|offres?|enquetes?|"
                r"messages?|catalogues?)"
            ),
            (
                r"ne (?:plus|pas|jamais) (?:me |nous |lui |les |l'|m')?(?:contacter|solliciter|appeler|ecrire|"
                r"envoyer|communiquer|transmettre|demarcher|filmer|confier|relancer)"
            ),
            (
                r"je (?:ne )?(?:veux|souhaite) pas (?:etre|que (?:vous|mes|mon|l'on|on)|qu'on)<_>(?:film\w+|"
                r"score\w*|profil\w+|donn\w+|transm\w+|utilis\w+|rappel\w+|classe\w*|photographi\w+|servent|"
                r"appel\w+|demarch\w+|vend\w+|figur\w+)"
            ),
            r"je refuse (?:que|qu'|d'etre|vos|ces?|de figurer|toute?|le profilage)",
            r"(?:lachez|foutez|fichez|laissez)[- ]?(?:moi|nous)<_>(?:tranquille|promos?|paix|pub\w*)?",
            r"(?:jamais|rien) (?:\w+ ){0,2}demande<_>",
            (
                r"(?:enlevez|virez|retirez|otez|sortez|rayez|oter|enlever)[- ]?(?:moi|nous|mon adresse|"
                r"m')<_>(?:liste\w*|mailing|listing|mails?|envois|fichier|vivier|truc|demarch\w+)"
            ),
            r"(?:desinscri\w+|desabonn\w+)<_>(?:jamais|pas demande|rien demande)?",
            r"(?:mettre (?:un )?terme|faire cesser|faites cesser|que cessent|que (?:ca|cela) (?:s'arrete|cesse))",
        ),
        "en": (
            r"\bi (?:hereby )?object\b|right to object|\bi oppose\b",
            r"\b(?:article|art\.?) 21\b",
            (
                r"(?:stop|quit|cease)\w*<_>(?:send\w*|email\w*|mail\w*|call\w*|text\w*|contact\w*|spam\w*|ring\w*|"
                r"advert\w*|ads\b|offers|marketing|messages|writing|selling|sharing|giving|phoning|follow\w*|"
                r"track\w*)"
            ),
            (
                r"(?:no more|enough with the|no) (?:\w+ ){0,2}(?:emails?|mails?|texts?|sms|calls?|offers?|ads|"
                r"adverts?|newsletters?|marketing|surveys?|mailings?|promo\w*|spam)"
            ),
            (
                r"(?:don'?t|do not|never|kindly do not|please do not) (?:\w+ ){0,2}(?:contact|call|email|mail|"
                r"text|ring|phone|write to|send|add|share|sell|pass|give|use|film|classify|measure|profile)<_>"
            ),
            (
                r"i (?:don'?t|do not) (?:want|agree|wish)<_>(?:receiv\w+|to be|that you|you to|your (?:ads|offers|"
                r"emails)|give|my (?:data|number|face|name)|this)"
            ),
            r"(?:take|get|drop) (?:me|us|him|her) off<_>(?:list|mailing|call|sheet)",
            r"unsubscribe",
            r"(?:i|we) (?:refuse|won'?t be)<_>(?:to be|profil\w+|track\w+|given|filmed)?",
            r"never (?:asked|signed up|agreed|subscribed|gave|opted)",
            r"not to (?:use|contact|call|be (?:used|called|contacted|mailed|shared))",
        ),
    },
    tasks=(
        Task(
            "stop",
            {
                "fr": "prospection : arrêter et inscrire sur la liste d'opposition",
                "en": "marketing: stop and enter on the suppression list",
            },
            "21(3)",
        ),
        Task(
            "weigh",
            {
                "fr": "autre traitement : suspendre, puis dire le motif impérieux s'il y en a un",
                "en": "other processing: suspend, then state the compelling ground if any",
            },
            "21(1)",
            about="situation",
        ),
        Task("mailers", {"fr": "prévenir les prestataires d'envoi", "en": "tell the mailing providers"}, "21(3)"),
        *MEDIA,
    ),
)
