"""Withdrawal of consent: newsletter, SMS, ticked box, pictures, health data, cookies (art. 7(3) GDPR)."""

from __future__ import annotations

from handlers.opening import answer_letter, open_request
from handlers.tasks import MEDIA
from handlers.types import Letter, Outcome, Right, Situation, Task
from store.models import CaseFacts


def open_case(case: CaseFacts, situation: Situation) -> Outcome:
    """Acknowledge and stop: withdrawing must be as easy as consenting was, so nothing is asked."""
    return open_request(case, situation)


def answer(case: CaseFacts, situation: Situation) -> Letter:
    """Say what was stopped; what was done before stays lawful; offer erasure (art. 17(1)(b))."""
    return answer_letter(case, situation)


RIGHT = Right(
    name="consent_withdrawal",
    article="7(3)",
    titles={"fr": "retrait de votre consentement", "en": "withdrawal of your consent"},
    identity_level=0,
    at_once=True,
    open=open_case,
    answer=answer,
    cues={
        "fr": (
            (
                r"(?:retir\w+|revoqu\w+|annul\w+|repren\w+|revien\w+ sur|revenir sur|revenues? sur|reviennent sur|"
                r"retrait de)<_>(?:consentement|accord|autorisation|permission|acceptation|signature|souscription|"
                r"oui\b)"
            ),
            (
                r"(?:consentement|accord|autorisation|permission|acceptation|signature|oui\b)<_>(?:retir\w+|"
                r"revoqu\w+|annul\w+|repren\w+|le reprends|n'existe plus|rapporte|perime|caduc|n'est plus valable|"
                r"s'en va|ne vaut plus)"
            ),
            r"\barticle 7\b|art\. ?7\b|retrait (?:de|du|d') ?(?:mon )?consentement",
            r"(?:ne suis|suis|sommes|es) plus d'accord|plus d'accord (?:pour|avec)",
            r"(?:je |nous )?n'(?:autoris\w+|accept\w+) plus|ne (?:consens|permets|valide|cautionne) plus",
            (
                r"(?:j'avais|j'ai|je m'etais|j'y avais|on avait|je m'suis|jme suis|quand) <_>(?:dit oui|coche|"
                r"accepte|signe|inscrit\w*|abonne\w*|souscrit|autorise|donne (?:mon )?(?:accord|"
                r"autorisation))<_>(?:mais|finalement|en fait|enfait|maintenant|aujourd'hui|desormais|je (?:ne "
                r")?(?:veux|souhaite)|plus|retire|reprends|decoche|changer)"
            ),
            r"(?:je )?decoch\w+",
            r"j'ai change d'avis|je change d'avis|change mon avis",
            (
                r"(?:maintenant|finalement|desormais|a present)<_>(?:je dis non|c'est non|non merci|je veux plus|"
                r"je (?:ne )?(?:veux|souhaite) plus)"
            ),
            r"(?:finalement|plus)<_>(?:newsletter|gazette|infolettre|lettre d'info\w*|bulletin)",
            r"(?:desabonn\w+|desinscri\w+|me desinscrire|me desabonner)<_>",
            (
                r"(?:ne )?(?:veux|souhaite) plus (?:recevoir|de|la|votre) (?:\w+ ){0,2}(?:newsletter|gazette|"
                r"infolettre|lettre|bulletin)"
            ),
            (
                r"(?:j'avais|j'ai|on avait|j'etais)<_>(?:dit (?:oui|ok)|coche|accepte|signe|inscrit\w*|abonne\w*|"
                r"donne (?:la|mon|ma) (?:permission|accord|autorisation))[^\n]{0,70}?(?:en fait|finalement|"
                r"maintenant|je (?:ne )?veux plus|j'veux plus|jveux plus|je retire|je dis non|a present|desormais|"
                r"plus d'accord|je reprends)"
            ),
            r"\bje retire\b(?! (?:ma demande|ma plainte))",
            r"(?:demande|abonne\w*|inscrit\w*)<_>(?:gazette|newsletter)[^\n]{0,90}?(?:m'enlever|enlevez|plus|arreter)",
        ),
        "en": (
            (
                r"(?:withdr\w+|revok\w+|rescind\w*|tak\w+ back|cancel\w*|retract\w*)<_>(?:consent|permission|"
                r"authori[sz]ation|autorisation|agreement|yes|signature|tick|approval|acceptance)"
            ),
            (
                r"(?:consent|permission|authori[sz]ation|agreement|my yes|that yes|permission slip|"
                r"release)<_>(?:withdrawn|revoked|rescinded|cancelled|no longer|is now a no|stopped|taken back|"
                r"not stand|without effect)"
            ),
            r"\b(?:article|art\.?) 7\b",
            (
                r"(?:i|we|they) (?:no longer|do not any ?more|don'?t) (?:agree|consent|authori[sz]e|accept|allow|"
                r"wish to be subscribed)<_>(?:any ?more|longer)?"
            ),
            r"un-?(?:tick|click|yes|sign|accept|check|mark|consent)\w*",
            (
                r"(?:i|we) (?:did |had |once )?(?:tick\w*|said yes|agreed|signed(?: up)?|subscribed|opted in|"
                r"accepted|sign up|subscribe)<_>(?:but|now|please|consider|no longer|changed|take|not any|anymore|"
                r"want to)"
            ),
            r"(?:changed?|changing) (?:my|our) mind",
            r"not comfortable<_>(?:any ?more)",
            r"unsubscribe me|(?:drop|take|get) me off<_>(?:deals|newsletter|list)",
            r"no longer wish to (?:be subscribed|receive)",
            (
                r"(?:i|we) (?:did |had )?(?:joined|join|ticked|tick|signed|agreed|said (?:yes|ok)|clicked|"
                r"subscribed|put (?:a )?tick)[^\n]{0,80}?(?:i leave|take (?:it|that)|not any ?more|no longer|"
                r"un-?\w+|changed my mind|get me off|i'd rather)"
            ),
            r"take out that tick|that tick",
        ),
    },
    tasks=(
        Task(
            "consent",
            {
                "fr": "retrouver le consentement donné et noter son retrait",
                "en": "find the consent given and note its withdrawal",
            },
            "7(1), 7(3)",
        ),
        Task(
            "stop",
            {"fr": "arrêter le traitement qui en dépendait", "en": "stop the processing that rested on it"},
            "7(3)",
        ),
        Task(
            "unfounded",
            {"fr": "effacer ce qui n'a plus d'autre fondement", "en": "erase what has no other ground left"},
            "17(1)(b)",
        ),
        *MEDIA,
    ),
)
