"""The linter: every letter that ships passes, and every fault it exists for is caught."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from handlers.linter import LetterFacts, lint
from templates import names, render, to_html
from templates.samples import ABOUT_IDENTITY, ACTS_FOR, NO_IDENTITY, REGISTER, RIGHTS, facts, identity, samples

KINDS = {
    "receipt": "acknowledgement",
    "answer": "answer",
    "refusal": "refusal",
    "identity": "identity_request",
    "identity_reminder": "reminder",
    "identity_insufficient": "identity_request",
    "not_identified": "not_identified",
    "clarification": "information_request",
    "extension": "extension",
    "status": "status",
    "status_neutral": "neutral_status",
    "moved_to_mail": "information_request",
    "closing": "closing",
    "holding": "acknowledgement",
    "fee": "fee",
    "code": "identity_code",
    "counter_receipt": "acknowledgement",
    "address_changed": "address_notice",
    "excessive": "refusal",
    "lifting": "lifting",
    "not_competent": "not_competent",
    "nothing_held": "answer",
    "recipients": "recipient_notice",
}
FILLED = {
    "fr": "le dossier de réservation, depuis le 4 mars 2026 (article 12 du RGPD)",
    "en": "the booking file, since 4 March 2026 (Article 12 GDPR)",
}


def day(value: str) -> date | None:
    return date.fromisoformat(value) if value else None


def letter(name: str, language: str, context: Mapping[str, Any], **more: Any) -> LetterFacts:
    """The letter as the DPO would approve it: rendered, and each marker replaced by what goes there."""
    rendered = render(name, language, context)
    text = re.sub(r"\[\[.*?\]\]", FILLED[language], rendered.text)
    asked = context["identity"]
    kind = KINDS[name.split("/")[1]]
    return LetterFacts(
        kind="acknowledgement+identity_request" if kind == "acknowledgement" and asked else kind,
        language=language,
        subject=rendered.subject,
        text=text,
        html=to_html(text, language),
        rights=tuple(context["rights"]),
        reference=context["reference"],
        dpo_email=context["dpo"]["email"],
        authority_name=context["authority"]["name"],
        authority_address=context["authority"]["address"],
        due=day(context["due"]),
        due_if_not_paused=day(context["due_if_not_paused"]),
        extended_due=day(context["extended_due"]),
        received_on=day(context["received_on"]),
        today=day(context["today"]),
        identity_state="requested" if asked else "not_required",
        identity_level=asked["level"] if asked else 0,
        partial=context["partial"] and name.endswith("/refusal"),
        **more,
    )


def codes(checked: LetterFacts, severity: str = "error") -> set[str]:
    return {finding.code for finding in lint(checked) if finding.severity == severity}


@pytest.mark.parametrize("language", ["fr", "en"])
@pytest.mark.parametrize("name", names())
def test_every_letter_that_ships_passes(name, language):
    folder, step = name.split("/")
    primary = folder if folder in RIGHTS else "access"
    others = tuple(right for right in RIGHTS if right not in (primary, "unclear"))
    proofs = [identity(2), identity(3, pause=False)] if name in ABOUT_IDENTITY else [None]
    if step == "receipt" and primary not in NO_IDENTITY:
        proofs += [identity(1), identity(2), identity(3)]
    writers = [(False, acts_for) for acts_for in ACTS_FOR] + [(True, "")]
    for proof in proofs:
        for child, acts_for in writers:
            for more in ((), others) if acts_for in ("", "deceased") else ((),):
                context = facts(primary, *more, child=child, acts_for=acts_for, identity=proof, partial=child)
                assert lint(letter(name, language, context)) == ()


@pytest.mark.parametrize("language", ["fr", "en"])
def test_every_sample_passes_while_the_clock_is_paused(language):
    for sample in samples():
        if sample.letter != "case/extension":
            assert lint(letter(sample.letter, language, {**sample.facts, "due": ""})) == ()


ERASURE = ("erasure/refusal", facts("erasure"))
RECEIPT = ("access/receipt", facts("access"))
PROOF = ("access/receipt", facts("access", identity=identity(2)))
ANSWER = ("erasure/answer", facts("erasure"))
EXTENSION = ("case/extension", facts("access"))
NOT_IDENTIFIED = ("case/not_identified", facts("access", identity=identity(2)))
FEE = ("case/fee", facts("access"))
BREACH = ("breach_report/receipt", facts("breach_report"))
WITHDRAWAL = ("consent_withdrawal/answer", facts("consent_withdrawal"))


def plus(sentence):
    """A fault: the DPO, or a template, adds a sentence."""
    return lambda text: f"{text}\n{sentence}\n"


def less(pattern, by=""):
    """A fault: something is taken out, or replaced."""

    def change(text):
        changed = re.sub(pattern, by, text)
        assert changed != text, f"nothing to replace: {pattern}"
        return changed

    return change


# (what is wrong, which letter, language, how the text is spoiled, what the linter must say)
FAULTS = [
    ("the letter is empty", ANSWER, "fr", lambda text: "  \n", "empty"),
    ("a marker is left", ANSWER, "fr", plus("[[à compléter : la date]]"), "marker"),
    ("half a marker is left", ANSWER, "en", plus("to complete: the date]]"), "marker"),
    ("template braces are left", RECEIPT, "fr", plus("Bonjour {{ person_name }}"), "template"),
    ("a placeholder is left", ANSWER, "en", plus("We erased XXXX."), "placeholder"),
    ("a blank is left to fill in", ANSWER, "fr", plus("Nous avons effacé ______."), "placeholder"),
    ("a character turns the text around", RECEIPT, "fr", plus("abc\u202edef"), "hidden-characters"),
    ("the letter is in the other language", RECEIPT, "fr",
     lambda text: render(*RECEIPT[:1], "en", RECEIPT[1]).text, "language"),
    ("a refusal gives no reasons", ERASURE, "fr",
     lambda text: "Bonjour,\n\nNous ne pouvons pas effacer (article 17(3)).\n\n"
     "Vous pouvez introduire une réclamation auprès de la CNIL, 3 place de Fontenoy, TSA 80715, "
     "75334 Paris Cedex 07, ou de saisir le tribunal.\n\ndpo@mije.example", "reasons"),
    ("a refusal names no text of law", ERASURE, "en",
     less(r"\(Article 17 GDPR\)|\(Article 12 GDPR\)", "the law"), "legal-ground"),
    ("a refusal does not name the authority", ERASURE, "fr", less("CNIL", "autorité"), "authority"),
    ("a refusal gives no address of the authority", ERASURE, "en", less("3 place de Fontenoy, ", ""), "authority"),
    ("a refusal names no court", ERASURE, "fr",
     less(r" et de former un recours devant le tribunal compétent"), "court"),
    ("a refusal names no court", ERASURE, "en",
     less(r", and to seek a judicial remedy before the competent court"), "court"),
    ("a refusal gives no contact of the DPO", ERASURE, "fr", less("dpo@mije.example"), "dpo-contact"),
    ("an extension names no court", EXTENSION, "fr",
     less(r" et de former un recours devant le tribunal compétent"), "court"),
    ("an extension names no new date", EXTENSION, "fr", less("2 juin 2026", "plus tard"), "extension-date"),
    ("an extension names another date", EXTENSION, "en", less("2 June 2026", "2 July 2026"), "due-date"),
    ("an extension is due to workload", EXTENSION, "fr",
     plus("Notre charge de travail est forte."), "extension-reason"),
    ("an extension is due to holidays", EXTENSION, "en",
     plus("This is because of the holidays."), "extension-reason"),
    ("a letter on identity names no authority", NOT_IDENTIFIED, "en", less("CNIL", "authority"), "authority"),
    ("a fee leaves no choice", FEE, "fr", less(r"(?s)Rien n'est dû.*?suffit\.", "Payez maintenant."), "fee-choice"),
    ("a fee for an excessive request counts nothing", FEE, "en",
     less(re.escape(FILLED["en"]), "The request is manifestly excessive (Article 12(5))."), "excessive-without-evidence"),
    ("a refusal for excess counts nothing", ERASURE, "fr",
     less(re.escape(FILLED["fr"]), "La demande est manifestement excessive (article 12(5))."), "excessive-without-evidence"),
    ("a due date is wrong", RECEIPT, "fr", less("2 avril 2026", "12 avril 2026"), "due-date"),
    ("a due date is wrong, in digits", RECEIPT, "en", plus("We will answer by 2026-05-02."), "due-date"),
    ("a due date is wrong, American style", RECEIPT, "en",
     plus("You will have it no later than May 2, 2026."), "due-date"),
    ("erasure cites the article of access", ANSWER, "fr",
     less(r"article 17 du RGPD", "article 15 du RGPD"), "wrong-article"),
    ("erasure cites the article of rectification", ANSWER, "en",
     less(r"Article 17 GDPR", "Article 16 GDPR"), "wrong-article"),
    ("the right of access is called article 17", RECEIPT, "fr",
     plus("Le droit d'accès (article 17 du RGPD) est gratuit."), "wrong-article"),
    ("portability is called article 21", ("portability/answer", facts("portability")), "en",
     plus("This is the right to portability (Article 21 GDPR)."), "wrong-article"),
    ("the withdrawal cites the duty to inform", WITHDRAWAL, "fr",
     plus("Voir l'article 13-2c du RGPD."), "withdrawal-article"),
    ("an article that does not exist", RECEIPT, "en", plus("See Article 124 GDPR."), "unknown-article"),
    ("a decree of another number", RECEIPT, "fr", plus("Voir l'article 92 du décret n° 2005-1309."), "wrong-law"),
    ("the wrong year of the French act", RECEIPT, "fr", plus("selon la loi du 21 juin 2014"), "wrong-law"),
    ("the wrong date of the French act", RECEIPT, "en", plus("under the Act of 6 August 2004"), "wrong-law"),
    ("business purposes as a ground", ERASURE, "en",
     plus("We keep them for legitimate business purposes."), "business-interest"),
    ("intérêts commerciaux as a ground", ERASURE, "fr",
     plus("Nos intérêts commerciaux légitimes l'exigent."), "business-interest"),
    ("thirty days instead of a month", RECEIPT, "fr", plus("Nous répondons sous 30 jours."), "thirty-days"),
    ("thirty days in words", RECEIPT, "en", plus("You will have an answer within thirty days."), "thirty-days"),
    ("an answer is promised in hours", RECEIPT, "fr", plus("Vous aurez une réponse sous 48 heures."), "promise"),
    ("an answer is promised in days", RECEIPT, "en", plus("You will hear from us within 5 working days."), "promise"),
    ("a guarantee", RECEIPT, "fr", plus("Nous vous garantissons une réponse complète."), "promise"),
    ("the outcome is promised", ("erasure/receipt", facts("erasure")), "fr",
     plus("Vos données seront effacées."), "outcome-promised"),
    ("the outcome is promised", ("erasure/receipt", facts("erasure")), "en",
     plus("We will erase your data."), "outcome-promised"),
    ("a copy is asked where nothing may be", ("objection/receipt", facts("objection")), "fr",
     plus("Envoyez-nous une copie de votre carte d'identité."), "over-asking"),
    ("a copy is asked where nothing may be", ("complaint/receipt", facts("complaint")), "en",
     plus("Please enclose a copy of your passport."), "over-asking"),
    ("a copy is required with every request", PROOF, "fr",
     plus("Toute demande doit être accompagnée d'une copie d'une pièce d'identité."), "systematic-identity"),
    ("a copy is required with every request", PROOF, "en",
     plus("Every request must come with proof of identity such as a passport."), "systematic-identity"),
    ("a certified copy is asked", PROOF, "fr", plus("Envoyez une copie certifiée conforme."), "overdone-copy"),
    ("both sides are asked", PROOF, "en", plus("Please scan both sides of the passport."), "overdone-copy"),
    ("proof is asked without a reason", PROOF, "fr",
     less(r"(?i)doute|savoir qu\w*|parce que", "point"), "identity-reason"),
    ("proof is asked without a choice", PROOF, "en",
     less(r"One of the following is enough; choose the one that suits you", "Send"), "identity-alternatives"),
    ("what may be hidden is not said", PROOF, "en", less(r"(?i)hid(?:den|e)|mask", "show"), "identity-masking"),
    ("when the copy is deleted is not said", PROOF, "fr",
     less(r"Une copie de document est supprimée[^.]*\."), "identity-deletion"),
    ("what it does to the clock is not said", PROOF, "fr",
     less(r"(?i)suspen\w*|délai", "attente"), "identity-effect"),
    ("the person is told that he is known", PROOF, "fr", plus("Vous êtes bien client de notre maison."), "reveals"),
    ("the person is told that data are held", PROOF, "en", plus("We hold your data in our files."), "reveals"),
    ("an incident is confirmed too early", BREACH, "fr",
     plus("Nous reconnaissons une erreur de notre part."), "admission"),
    ("liability is admitted", BREACH, "en", plus("We accept responsibility for this."), "admission"),
    ("a letter by post is required", RECEIPT, "fr",
     plus("Écrivez-nous uniquement par courrier recommandé."), "one-channel"),
    ("a form is required", RECEIPT, "en", plus("You must use our form."), "one-channel"),
    ("no sensitive data are said to be processed", ANSWER, "fr",
     plus("Nous ne traitons aucune donnée sensible."), "no-sensitive-data"),
    ("consent is deemed to be given", WITHDRAWAL, "en",
     plus("Your consent is deemed to have been given."), "deemed-consent"),
    ("a signature is wanted", RECEIPT, "fr", plus("Votre demande doit être signée."), "signature"),
    ("a signature is wanted", RECEIPT, "en", plus("Your request must be signed by hand."), "signature"),
    ("a signature is wanted to go on", PROOF, "en", plus("We require your signature before going on."), "signature"),
    ("the medium is refused", RECEIPT, "fr", plus("Les demandes par courriel ne sont pas recevables."), "medium"),
    ("the medium is refused", RECEIPT, "en", plus("Requests by e-mail cannot be accepted."), "medium"),
    ("the request is to be made again by post", RECEIPT, "fr", plus("Adressez votre demande par courrier."), "medium"),
    ("another language is wanted", RECEIPT, "fr", plus("Merci d'écrire uniquement en français."), "language-demanded"),
    ("another language is wanted", RECEIPT, "en", plus("Please resubmit this in French."), "language-demanded"),
    ("reasons are wanted", RECEIPT, "fr", plus("Vous devez motiver votre demande d'accès."), "reason-demanded"),
    ("reasons are wanted", RECEIPT, "en", plus("Please state the reasons for your request."), "reason-demanded"),
    ("the request is called repetitive without a count", ERASURE, "en",
     less(re.escape(FILLED["en"]), "Your requests are repetitive (Article 12(5))."), "excessive-without-evidence"),
    ("the request is called abusive without a count", ERASURE, "fr",
     less(re.escape(FILLED["fr"]), "Votre demande est abusive (article 12(5))."), "excessive-without-evidence"),
    ("a telephone number before proof", PROOF, "fr", plus("Est-ce bien le 06 12 34 56 78 ?"), "reveals"),
    ("a birth date before proof", PROOF, "en", plus("You were born on 4 May 1990, is that so?"), "reveals"),
    ("an account number before proof", PROOF, "fr", plus("Compte FR76 3000 6000 0112 3456 7890 189."), "reveals"),
    ("the password travels with the archive", ANSWER, "en", plus("The password is: Tulip-42"), "password"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("what", "sound", "language", "spoil", "code"), FAULTS, ids=[f"{f[2]}: {f[0]}" for f in FAULTS]
)
def test_a_fault_in_the_text_is_caught(what, sound, language, spoil, code):
    checked = letter(sound[0], language, sound[1])
    assert lint(checked) == ()

    text = spoil(checked.text)
    spoiled = replace(
        checked,
        text=text,
        html=to_html(text, language),
        subject=checked.subject.replace("2 juin 2026", "plus tard") if code == "extension-date" else checked.subject,
    )

    assert code in codes(spoiled)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"identity_state": "requested"}, "identity-open"),
        ({"identity_state": "received"}, "identity-open"),
        ({"identity_state": "rejected"}, "identity-open"),
        ({"recipient_is_of_record": False}, "recipient"),
        ({"subject": ""}, "subject"),
        ({"subject": "Votre demande – dossier DSR-2026-0014\nBcc: tous@exemple.example"}, "subject"),
        ({"reference": "DSR-2026-0099"}, "reference"),
        ({"html": to_html("Un autre texte.", "fr")}, "parts-differ"),
    ],
)
def test_a_fault_around_the_text_is_caught(changes, code):
    assert codes(replace(letter("erasure/answer", "fr", facts("erasure")), **changes)) == {code}


@pytest.mark.parametrize(
    "markup",
    [
        "<script>alert(1)</script>",
        '<img src="https://tracker.example/a.png">',
        '<a href="http://plain.example"></a>',
        '<p onclick="x()"></p>',
    ],
)
def test_html_that_does_more_than_show_text_is_caught(markup):
    sound = letter("erasure/answer", "fr", facts("erasure"))
    assert codes(replace(sound, html=sound.html.replace("</body>", f"{markup}</body>"))) == {"active-html"}


def test_a_partial_refusal_waits_for_identity_and_says_that_it_is_partial():
    sound = letter("erasure/refusal", "fr", facts("erasure", partial=True))
    assert codes(replace(sound, identity_state="requested")) == {"identity-open"}
    text = sound.text.replace("en partie", "ainsi")
    assert codes(replace(sound, text=text, html=to_html(text, "fr")), "warning") == {"partial"}


def test_an_extension_after_the_first_month_is_caught():
    late = replace(letter("case/extension", "fr", facts()), today=date(2026, 4, 3))
    assert codes(late) == {"extension-late"}


MOVES = {
    "asked for an ID copy": ("over-asking", {}, plus("Envoyez une copie de votre carte d'identité.")),
    "asked for more identification": (
        "more-without-reason", {"identity_state": "rejected", "kind": "identity_request"},
        lambda _: "Bonjour, envoyez une autre preuve de votre identité, parce que nous avons un doute ; un seul moyen suffit, "
        "le délai est suspendu. DSR-2026-0014",
    ),
    "excessive": (
        "excessive-without-evidence", {"kind": "refusal"}, plus("Votre demande est manifestement excessive (article 12(5))."),
    ),
    "wanted a signature": ("signature", {}, plus("Votre demande doit être signée.")),
    "refused the medium": ("medium", {}, plus("Nous ne traitons pas les demandes par courriel.")),
    "other language": ("language-demanded", {}, plus("Merci de reformuler votre demande en français.")),
    "overdue": ("overdue", {"kind": "answer", "today": date(2026, 4, 20)}, lambda text: text),
}  # fmt: skip


@pytest.mark.parametrize("move", MOVES)
def test_the_requesters_seven_counter_moves_find_no_opening(move):
    """What a requester's tool writes back when a controller stalls: the draft that would call for it is caught."""
    code, changes, spoil = MOVES[move]
    sound = letter("access/receipt", "fr", facts())
    spoiled = replace(sound, text=spoil(sound.text), html="", **changes)
    assert code in codes(spoiled) | codes(spoiled, "warning")
    assert code not in codes(sound) | codes(sound, "warning")


@pytest.mark.parametrize("language", ["fr", "en"])
@pytest.mark.parametrize("right", RIGHTS)
def test_a_late_answer_says_so_by_itself(right, language):
    late = {"today": "2026-04-20", "late": True}
    for step in ("answer", "refusal"):
        checked = letter(f"{right}/{step}", language, facts(right, **late))
        assert lint(checked) == ()


def test_somebody_elses_address_in_a_letter_is_caught_and_ours_and_theirs_are_not():
    sound = replace(letter("erasure/answer", "fr", facts("erasure")), recipient="camille@courrier.example")
    own = plus("Vous écriviez de camille@courrier.example à dpo@mije.example.")(sound.text)
    assert codes(replace(sound, text=own, html=to_html(own, "fr"))) == set()
    other = plus("Votre voisin (paul@boite.example) a reçu la même chose.")(sound.text)
    assert codes(replace(sound, text=other, html=to_html(other, "fr"))) == {"other-address"}


def test_who_we_are_and_how_to_reach_the_dpo_is_advised():
    sound = replace(letter("erasure/answer", "fr", facts("erasure")), organisation="Association MIJE")
    assert lint(sound) == ()
    text = sound.text.replace("Association MIJE", "Nous").replace("dpo@mije.example", "")
    assert "contact-advised" in codes(replace(sound, text=text, html=to_html(text, "fr")), "warning")


def test_there_are_more_than_sixty_seeded_faults():
    assert len(FAULTS) + len(MOVES) >= 80


def test_a_shortened_answer_is_only_advised_to_name_the_remedies():
    text = "Bonjour,\n\nVos données ont été effacées.\n"
    short = replace(letter("erasure/answer", "fr", facts("erasure")), text=text, html=to_html(text, "fr"))
    assert [(finding.code, finding.severity) for finding in lint(short)] == [("remedies-advised", "warning")]


@pytest.mark.parametrize("right", ["objection", "complaint"])
def test_asking_for_proof_of_what_needs_none_is_caught_whatever_reason_is_given(right):
    asking = letter("case/identity", "fr", facts(right, identity=identity(3)))
    assert codes(replace(asking, identity_state="not_required", identity_level=0)) == {"over-asking"}
    assert codes(replace(asking, identity_state="not_required", identity_level=0, rights=("access", right))) == set()


@pytest.mark.parametrize(
    ("language", "asks"),
    [("fr", "Envoyez-nous une copie de votre passeport."), ("en", "Please send us a copy of your passport.")],
)
def test_a_proof_that_was_enclosed_is_not_one_asked_for(language, asks):
    told = letter("access/receipt", language, facts(proof_enclosed=True))
    assert lint(told) == ()
    text = f"{told.text}\n{asks}\n"
    assert codes(replace(told, text=text, html=to_html(text, language))) == {"over-asking"}


@pytest.mark.parametrize("language", ["fr", "en"])
@pytest.mark.parametrize("right", RIGHTS)
def test_the_facts_a_letter_may_have_break_no_rule(right, language):
    may_have = {"proof_enclosed": True, "minor_erasure": True, "identity_state": "received", "reminder": True}
    for child in (False, True):
        for step in ("receipt", "answer", "refusal"):
            assert lint(letter(f"{right}/{step}", language, facts(right, child=child, **may_have))) == ()
        for insufficient in (False, True):
            context = facts("access", child=child, identity=identity(3), insufficient=insufficient, **may_have)
            assert lint(letter("case/identity_reminder", language, context)) == ()


def test_other_names_for_the_same_kind_are_checked_alike():
    notice = letter("case/not_identified", "fr", facts(identity=None))
    assert lint(notice) == ()
    assert codes(replace(notice, kind="notice", dpo_email="other@mije.example")) == {"dpo-contact"}
    partly = replace(letter("erasure/refusal", "fr", facts("erasure", partial=True)), kind="partial_refusal")
    assert codes(replace(partly, identity_state="requested")) == {"identity-open"}
    spoiled = replace(letter("case/extension", "fr", facts()), kind="extension_notice", extended_due=date(2026, 7, 2))
    assert codes(spoiled) == {"extension-date", "due-date"}


def test_days_of_storage_are_no_days_to_answer():
    text = letter(*PROOF[:1], "fr", PROOF[1]).text
    assert "30 jours" in text  # of the life of a copy, which the linter must tell from a time limit
    assert lint(letter(*PROOF[:1], "fr", PROOF[1])) == ()


@pytest.mark.parametrize("language", ["fr", "en"])
def test_what_is_told_of_the_data_is_not_taken_for_what_the_letter_asks_or_promises(language):
    entry = {
        **REGISTER[0],
        "purposes": "prospection à des fins commerciales / marketing for business purposes",
        "categories": "numéro de passeport, carte d'identité / passport, identity card",
        "retention": "30 jours / 30 days",
        "source": "séjour de 30 jours en 2025 / a stay of 30 days in 2025",
    }
    assert lint(letter("access/answer", language, facts(register=[entry]))) == ()


def test_every_finding_says_what_to_write_in_both_languages():
    for _, sound, language, spoil, _ in FAULTS:
        checked = letter(sound[0], language, sound[1])
        for finding in lint(replace(checked, text=spoil(checked.text), html="")):
            assert set(finding.message) == {"fr", "en"}
            assert all(finding.message.values())


@settings(max_examples=100, deadline=None)
@given(text=st.text(max_size=300), html=st.text(max_size=100), kind=st.sampled_from(sorted(KINDS.values())))
def test_any_text_is_read_without_an_exception_and_twice_alike(text, html, kind):
    checked = replace(letter("erasure/answer", "fr", facts("erasure")), text=text, html=html, kind=kind)
    assert lint(checked) == lint(checked)
