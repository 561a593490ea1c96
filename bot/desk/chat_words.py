"""What the desk says in chat beside its cards, by language."""

from __future__ import annotations

DESK = {
    "fr": {
        "help": "/cases – dossiers ouverts\n/sort – messages à trier\n"
        "/ignored – classés sans suite (7 jours)\n/case RÉF – un dossier\n/cancel – annuler la saisie\n"
        "/new – saisir une demande\n/absence – absence et remplaçant\n/export – ce qui est détenu sur une personne\n"
        "/halt, /resume – arrêter les envois automatiques, les reprendre",
        "halted": "⚠ Envois automatiques arrêtés : rien ne part sans votre accord (/resume).",
        "desk": "Bureau",
        "role": "Votre rôle ne le permet pas.",
        "file": "Je n'ai pas pu lire ce fichier : envoyez un texte (UTF-8, 200 Ko au plus) ou collez la lettre.",
        "no_case": "Aucun dossier {ref}.",
        "empty": "Rien.",
        "unknown_button": "Cette carte n'est plus à jour : voyez la plus récente.",
        "expired": "Ce bouton a expiré : demandez la carte avec /case.",
        "stranger": "Vous n'êtes pas autorisé.",
        "choose": "Choisissez :",
        "cancelled": "Saisie annulée.",
        "more": "Reçu ; la suite ? (/fin s'il n'y en a pas)",
        "below": "{subject} : voir plus bas.",
        "timeout": "Trop tard : reprenez depuis la carte.",
        "done": "Déjà fait par {user}.",
        "elsewhere": "Le bureau est dans l'autre salon : écrivez là-bas.",
        "other_chat": "Ce bouton appartient à une autre conversation.",
        "in_private": "Réponse en privé.",
        "private_first": "Écrivez-moi d'abord en privé (/start) : un groupe n'est pas fait pour cela.",
    },
    "en": {
        "help": "/cases – open cases\n/sort – messages to sort\n"
        "/ignored – filed as no request (7 days)\n/case REF – one case\n/cancel – cancel what you are typing\n"
        "/new – enter a request\n/absence – absence and deputy\n/export – what is held on a person\n"
        "/halt, /resume – stop automatic mail, let it leave again",
        "halted": "⚠ Automatic mail is stopped: nothing leaves without your consent (/resume).",
        "desk": "Desk",
        "role": "Your role does not allow this.",
        "file": "I could not read this file: send a text (UTF-8, 200 kB at most), or paste the letter.",
        "no_case": "No case {ref}.",
        "empty": "Nothing.",
        "unknown_button": "This card is out of date: see the newest one.",
        "expired": "This button has expired: ask for the card with /case.",
        "stranger": "You are not authorised.",
        "choose": "Choose:",
        "cancelled": "Cancelled.",
        "more": "Received; the rest? (/done if there is none)",
        "below": "{subject}: see below.",
        "timeout": "Too late: start again from the card.",
        "done": "Done already by {user}.",
        "elsewhere": "The desk is in the other room: write there.",
        "other_chat": "This button belongs to another chat.",
        "in_private": "Answered in private.",
        "private_first": "Write to me in private first (/start): a group is not made for this.",
    },
}
