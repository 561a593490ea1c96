"""The new part of a mail: answers stay, history, signatures and footers go, and in doubt the text stays new."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nlp.clean import Split, header_block, is_forward_divider, split

ATTRIBUTIONS = {
    "gmail-fr": "Le lun. 2 mars 2026 à 10:15, DPO MIJE <dpo@mije.com> a écrit :",
    "gmail-fr-wrapped": "Le lun. 2 mars 2026 à 10:15, DPO MIJE <dpo@mije.com> a\nécrit :",
    "thunderbird-fr": "Le 02/03/2026 à 10:15, DPO MIJE a écrit :",
    "name-first-fr": "DPO MIJE <dpo@mije.com> a écrit le 2 mars 2026 :",
    "gmail-en": "On Mon, 2 Mar 2026 at 10:15, DPO MIJE <dpo@mije.com> wrote:",
    "yahoo-en": "On Monday, March 2, 2026 at 10:15:00 AM GMT+1, DPO MIJE <dpo@mije.com> wrote:",
    "thunderbird-de": "Am 02.03.26 um 10:15 schrieb DPO MIJE:",
    "gmail-de": "Am Mo., 2. März 2026 um 10:15 Uhr schrieb DPO MIJE <dpo@mije.com>:",
    "gmail-es": "El lun, 2 mar 2026 a las 10:15, DPO MIJE (<dpo@mije.com>) escribió:",
    "gmail-it": "Il giorno lun 2 mar 2026 alle ore 10:15 DPO MIJE <dpo@mije.com> ha scritto:",
    "gmail-nl": "Op ma 2 mrt 2026 om 10:15 schreef DPO MIJE <dpo@mije.com>:",
    "gmail-pt": "Em seg., 2 de mar. de 2026 às 10:15, DPO MIJE <dpo@mije.com> escreveu:",
    "pt-europe": "DPO MIJE <dpo@mije.com> escreveu no dia segunda, 2/03/2026 à(s) 10:15:",
    "gmail-pl": "Dnia 2 marca 2026 o 10:15 DPO MIJE <dpo@mije.com> napisał(a):",
    "outlook-fr": "De : DPO MIJE <dpo@mije.com>\nEnvoyé : lundi 2 mars 2026 10:15\nÀ : Marie\nObjet : RE: demande",
    "outlook-fr-bold": "*De :* DPO MIJE\n*Envoyé :* lundi 2 mars 2026 10:15\n*À :* Marie\n*Objet :* RE: demande",
    "outlook-mac-fr": "De : DPO <dpo@mije.com>\nDate : lundi, 2 mars 2026 à 10:15\nÀ : Marie <m@x.example>\nObjet : Re: x",
    "outlook-en": "From: DPO MIJE\nSent: 02 March 2026 10:15\nTo: Marie\nSubject: RE: request",
    "outlook-de": "Von: DPO MIJE <dpo@mije.com>\nGesendet: Montag, 2. März 2026 10:15\nAn: Marie\nBetreff: AW: x",
    "outlook-es": "De: DPO MIJE <dpo@mije.com>\nEnviado: lunes, 2 de marzo de 2026 10:15\nPara: Marie\nAsunto: RE: x",
    "outlook-it": "Da: DPO MIJE <dpo@mije.com>\nInviato: lunedì 2 marzo 2026 10:15\nA: Marie\nOggetto: R: x",
    "outlook-nl": "Van: DPO MIJE <dpo@mije.com>\nVerzonden: maandag 2 maart 2026 10:15\nAan: Marie\nOnderwerp: RE: x",
    "outlook-old-fr": "-----Message d'origine-----\nDe : DPO\nEnvoyé : lundi 2 mars 2026 10:15\nÀ : Marie\nObjet : x",
    "outlook-old-en": "-----Original Message-----\nFrom: DPO [mailto:dpo@mije.com]\nSent: 2 March\nTo: M\nSubject: x",
    "outlook-web": "________________________________\nDe : DPO <dpo@mije.com>\nEnvoyé : lundi\nÀ : Marie\nObjet : x",
    "zimbra-fr": '----- Mail original -----\nDe: "DPO" <dpo@mije.com>\nÀ: "m" <m@x.example>\nEnvoyé: Lundi\nObjet: x',
    "divider-only": "-----Message d'origine-----",
}


@pytest.mark.parametrize("introduction", ATTRIBUTIONS.values(), ids=ATTRIBUTIONS.keys())
def test_what_a_mail_client_writes_above_history_begins_the_history(introduction):
    answer = "Bonjour,\nje maintiens ma demande."
    history = f"{introduction}\n\nVous pouvez demander l'effacement de vos données."

    assert split(f"{answer}\n\n{history}") == Split(new=answer, quoted=history)


@pytest.mark.parametrize("introduction", ATTRIBUTIONS.values(), ids=ATTRIBUTIONS.keys())
def test_an_answer_below_quoted_lines_is_new(introduction):
    text = (
        f"{introduction}\n\n> Quelle est votre date de naissance ?\n\nLe 4 mai 1971.\n\n> Et votre nom ?\n\nMarie Roux"
    )

    found = split(text)

    assert found.new.split("\n") == ["", "Le 4 mai 1971.", "", "Marie Roux"][1:]
    assert "date de naissance" in found.quoted
    assert "votre nom" in found.quoted


NOT_HISTORY = {
    "a stay": "From: 12 May 2026\nTo: 15 May 2026\nSubject: our stay\n\nPlease delete my data.",
    "a journey": "De : Paris\nÀ : Lyon\nDate : 12/05/2026 10:30\n\nEffacez mon dossier.",
    "somebody wrote to me": "Le 12 février 2026, votre agent m'a écrit :\n« nous gardons tout ».\n\nEffacez tout.",
    "a sentence with wrote": "Dans votre réponse on a écrit :\n« impossible ».\nJe conteste.",
    "a list with hyphens": "Je veux :\n- mes réservations\n- mes photos\n- mes factures\n\nMerci,\nPaul",
    "two dashes between paragraphs": (
        "Bonjour,\n--\nJe vous demande de supprimer l'ensemble de mes données personnelles, ainsi que celles de mon fils, "
        "et de me confirmer par écrit que cela a été fait, y compris chez vos prestataires.\n\nJe compte sur vous."
    ),
    "a contact form": "De : Marie <marie@x.example>\nObjet : demande\n\nMessage :\nSupprimez mon compte.",
    "rights quoted by the person": (
        "Bonjour,\n\nVotre site dit que « vous disposez d'un droit d'accès ». J'en use : envoyez-moi tout."
    ),
    "a deadline set by the person": "Bonjour,\n\nConformément au RGPD vous avez un mois pour me répondre.",
    "a demand that starts like a footer": (
        "Bonjour,\n\nConformément au RGPD, dont vous disposez d'un droit à ignorer rien, je demande mes données."
    ),
    "thanks, then the request": "Merci,\n\nmais je veux encore que mon adresse soit corrigée.\nCordialement",
    "sent by letter": "Envoyé par courrier recommandé le 3 mars, resté sans réponse : ma demande est renouvelée.",
}


@pytest.mark.parametrize("text", NOT_HISTORY.values(), ids=NOT_HISTORY.keys())
def test_what_only_looks_like_history_or_footer_stays_new(text):
    assert split(text) == Split(new=text)


DEVICE_LINES = [
    "Envoyé de mon iPhone",
    "Envoyé depuis mon mobile Orange",
    "Envoyé à partir de Outlook pour Android",
    "Envoyé depuis l'application Mail Orange",
    "Télécharger Outlook pour iOS",
    "Provenance : Courrier pour Windows",
    "Sent from my iPhone",
    "Sent from Outlook for iOS",
    "Get Outlook for Android",
    "Sent with Proton Mail secure email.",
    "Von meinem iPhone gesendet",
    "Gesendet mit der GMX Mail App",
    "Enviado desde mi iPhone",
    "Inviato da iPhone",
    "Verzonden vanaf mijn iPhone",
    "Enviado do meu iPhone",
    "Garanti sans virus. www.avast.com",
]


@pytest.mark.parametrize("line", DEVICE_LINES)
def test_a_line_that_a_device_adds_is_no_text(line):
    assert split(f"Effacez mes données.\n\n{line}") == Split(new="Effacez mes données.", signature=line)


FOOTERS = {
    "rights-fr": (
        "Conformément au Règlement (UE) 2016/679 et à la loi Informatique et Libertés, vous disposez d'un droit d'accès, "
        "de rectification et d'effacement. Écrivez à dpo@corp.example."
    ),
    "rights-plain-fr": "Vous disposez du droit de demander l'effacement des données vous concernant.",
    "processing-fr": "Vos données personnelles sont traitées par la société Corp pour gérer la relation client.",
    "confidential-fr": "Ce message et toutes les pièces jointes sont confidentiels et établis à l'intention de son destinataire.",
    "error-fr": "Si vous avez reçu ce message par erreur, merci de nous en informer et de le détruire.",
    "paper-fr": "Pensez à l'environnement avant d'imprimer ce mail.",
    "unsubscribe-fr": "Pour vous désinscrire, cliquez ici : https://corp.example/u",
    "confidential-en": (
        "This email and any attachments are confidential and intended solely for the addressee. If you have received this "
        "in error please notify me at once."
    ),
    "rights-en": "Under the GDPR you have the right to access and erase your personal data. See our privacy policy.",
    "confidential-de": "Diese E-Mail enthält vertrauliche Informationen. Wenn Sie nicht der richtige Adressat sind …",
    "confidential-es": "Este mensaje y sus anexos son confidenciales y para uso exclusivo de su destinatario.",
    "confidential-it": "Questo messaggio e gli allegati contengono informazioni riservate.",
    "confidential-nl": "Dit bericht is uitsluitend bestemd voor de geadresseerde.",
}


@pytest.mark.parametrize("footer", FOOTERS.values(), ids=FOOTERS.keys())
def test_a_footer_that_speaks_to_its_reader_is_no_text(footer):
    letter = "Bonjour,\n\nVoici la facture de février.\n\nCordialement,\nMarc Vidal"

    assert split(f"{letter}\n\n{footer}") == Split(new=letter, signature=footer)


def test_a_person_who_goes_on_below_a_footer_is_heard():
    text = (
        "Bonjour,\n\nCe message est confidentiel pour son destinataire.\n\nPS : je veux aussi une copie de mes données."
    )

    assert split(text) == Split(
        new="Bonjour,\n\nPS : je veux aussi une copie de mes données.",
        signature="Ce message est confidentiel pour son destinataire.",
    )


@pytest.mark.parametrize(
    "text",
    [
        "> Effacez tout\n> merci",
        "--\nMarie",
        "Envoyé de mon iPhone",
        "",
        "\n\n",
        "-----Message d'origine-----\nEffacez-moi",
    ],
)
def test_a_text_that_would_vanish_stays(text):
    assert split(text) == Split(new=text.strip())


def test_a_signature_ends_where_history_begins():
    text = "Oui.\n\n-- \nMarie\n06 00 00 00 00\n\nLe 2 mars 2026 à 10:15, DPO <dpo@mije.com> a écrit :\n> Est-ce vous ?"

    assert split(text) == Split(
        new="Oui.",
        quoted="Le 2 mars 2026 à 10:15, DPO <dpo@mije.com> a écrit :\n> Est-ce vous ?",
        signature="--\nMarie\n06 00 00 00 00",
    )


def test_a_mailing_list_footer_is_no_text():
    footer = "_______________________________________________\nAsso mailing list\nhttps://listes.example/listinfo/asso"

    assert split(f"Bonjour à tous.\n{footer}") == Split(new="Bonjour à tous.", signature=footer)


def test_header_fields_are_read_with_their_values():
    lines = [
        "> De : Marie <m@x.example>",
        "> Envoyé : lundi 2 mars 2026 10:15",
        "> À : DPO;",
        "> a@x.example",
        "> Objet : x",
        "",
        "Oui",
    ]

    block = header_block(lines, 0)

    assert block is not None
    assert (block.fields, block.end) == (
        {"from": "Marie <m@x.example>", "date": "lundi 2 mars 2026 10:15", "to": "DPO; a@x.example", "subject": "x"},
        5,
    )


@pytest.mark.parametrize(
    ("line", "forward"),
    [
        ("---------- Forwarded message ---------", True),
        ("-------- Message transféré --------", True),
        ("Début du message transféré :", True),
        ("-------- Weitergeleitete Nachricht --------", True),
        ("---------- Mensaje reenviado ----------", True),
        ("-------- Messaggio Inoltrato --------", True),
        ("Begin doorgestuurd bericht:", True),
        ("---------- Mensagem encaminhada ---------", True),
        ("-----Message d'origine-----", False),
        ("voici le message transféré", False),
    ],
)
def test_forward_dividers(line, forward):
    assert is_forward_divider(line) is forward


LINES = st.sampled_from(
    [
        "Bonjour,", "Effacez mes données.", "> cité", ">> deux fois", "", "", "-- ", "--", "Marie", "____________________",
        *(line for each in ATTRIBUTIONS.values() for line in each.split("\n")), *DEVICE_LINES, *FOOTERS.values(),
    ]
)  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(st.lists(LINES, max_size=25) | st.lists(st.text(max_size=60), max_size=15))
def test_no_line_is_lost_invented_or_doubled(lines):
    text = "\n".join(lines)

    found = split(text)

    def content(*texts: str) -> list[str]:
        return sorted(line.strip() for each in texts for line in each.split("\n") if line.strip())

    assert content(found.new, found.quoted, found.signature) == content(text)
    assert found.new.strip() or not text.strip()


@settings(max_examples=100, deadline=None)
@given(st.lists(LINES, max_size=25))
def test_the_new_part_has_no_quoted_line_where_history_was_found(lines):
    found = split("\n".join(lines))

    if found.quoted:
        assert not any(line.startswith(">") for line in found.new.split("\n"))
