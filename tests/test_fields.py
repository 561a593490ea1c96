"""What the fields say of invented messages: whole values, in seven languages, to the letter."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nlp.fields import as_mapping, find, flag_cues
from nlp.types import LABELS, Message


def fields(
    body: str, *labels: str, sender: str = "", address: str = "", third_party: bool = False
) -> dict[str, str | tuple[str, ...]]:
    message = Message(id="m", body=body, from_name=sender, from_email=address)
    return as_mapping(find(message, labels, third_party=third_party))


@pytest.mark.parametrize(
    ("sender", "body", "name"),
    [
        ("Odile Verhaegen", "Bonjour, je veux mes données.\nCordialement,\nOdile Verhaegen", "Odile Verhaegen"),
        ("Odile Verhaegen", "Merci de tout effacer. O. Verhaegen", "O. Verhaegen"),
        ("Jean-Noël Abgrall", "Je vous salue. J.-N. Abgrall, secrétaire", "J.-N. Abgrall"),
        ("Odile Verhaegen", "supprimez tout svp merci odile", "odile"),
        ("Mme Odile Verhaegen", "Je suis Mme Odile Verhaegen et je m'oppose.", "Odile Verhaegen"),
        ("", "Hello, my name is Edwin Tasker and I want a copy.", "Edwin Tasker"),
        ("RA Jost Kemmerich", "Wir bitten um Auskunft.\nMit freundlichen Grüßen\nKemmerich, RA", "Kemmerich"),
        ("Ruben Tieleman", "Graag alles wissen. Groeten, Ruben", "Ruben"),
        ("Club de Vela Norte", "Queremos la copia.\nUn saludo\nIrene Cobos, secretaria", "Irene Cobos"),
        ("Peter Vanstone", "Take me off please.\nP Vanstone", "P Vanstone"),
        ("Thibaud Kerloc'h", "Tout effacer.\nT. Kerloc'h", "T. Kerloc'h"),
        ("Reisen Blauwal GmbH", "Wir haben alles gelöscht.\nReisen Blauwal GmbH", None),
        ("", "Löscht bitte alles. lg", None),
    ],
)
def test_sender_name(sender: str, body: str, name: str | None) -> None:
    assert fields(body, sender=sender).get("full_name") == name


@pytest.mark.parametrize(
    ("body", "born"),
    [
        ("Paul Legoff, né à Brest le 3 avril 1961.", "3 avril 1961"),
        ("I was born on 4th May 1959 in Leeds.", "4th May 1959"),
        ("Ich bin am 8. September 1955 geboren, geboren am 8. September 1955.", "8. September 1955"),
        ("Nací el 12 de marzo de 1980. Fecha de nacimiento: 12/03/1980", ("12 de marzo de 1980", "12/03/1980")),
        ("Marta Ricci, nata a Lecce il 7 marzo 1975.", "7 marzo 1975"),
        ("Geboortedatum: 06-11-1990", "06-11-1990"),
        ("Data de nascimento: 1 de maio de 1999.", "1 de maio de 1999"),
        ("Onze zoon Joep Smulders (6 april 2012) ging eerder naar huis.", "6 april 2012"),
    ],
)
def test_date_of_birth(body: str, born: str | tuple[str, ...]) -> None:
    assert fields(body)["date_of_birth"] == born


@pytest.mark.parametrize(
    ("body", "stay"),
    [
        ("J'ai dormi chez vous du 3 au 5 juillet.", "du 3 au 5 juillet"),
        ("We stayed from 9 to 12 October.", "9 to 12 October"),
        ("Stayed Feb 11 through 14 in a dorm.", "Feb 11 through 14"),
        ("Ich war vom 14. bis 19. Februar 2026 da.", "14. bis 19. Februar 2026"),
        ("Estuve del 3 al 8 de julio.", "3 al 8 de julio"),
        ("Nel soggiorno del 18-21 aprile ho perso tutto.", "18-21 aprile"),
        ("Estive aí nos dias 28 e 29 de abril de 2026.", "28 e 29 de abril de 2026"),
    ],
)
def test_stay_dates(body: str, stay: str) -> None:
    assert fields(body)["stay_dates"] == stay


@pytest.mark.parametrize(
    ("body", "name", "value"),
    [
        ("Réservation n° QX-40771, merci.", "booking_ref", "QX-40771"),
        ("Booking 7K3PQZ, please.", "booking_ref", "7K3PQZ"),
        ("Buchungsnr HW-551281 betrifft mich.", "booking_ref", "HW-551281"),
        ("Mi reserva F-19-3307 sigue ahí.", "booking_ref", "F-19-3307"),
        ("Boeking ZW-90117 graag wissen.", "booking_ref", "ZW-90117"),
        ("N/Réf. MJPX-77-L", "case_ref", "MJPX-77-L"),
        ("Az. 804 Js 11873/26", "case_ref", "804 Js 11873/26"),
        ("Our file: WQ-26-1187", "case_ref", "WQ-26-1187"),
        ("Kenmerk z2026-01881.", "case_ref", "z2026-01881"),
        ("Suite à DSR-2026-0042 je relance.", "request_ref", "DSR-2026-0042"),
        ("On peut m'appeler au 06 39 98 12 34.", "phone", "06 39 98 12 34"),
        ("Call me at 416-555-0163.", "phone", "416-555-0163"),
    ],
)
def test_references_and_numbers(body: str, name: str, value: str) -> None:
    assert fields(body) == {name: value}


@pytest.mark.parametrize(
    "address",
    [
        "14 bis rue des Lilas, 35000 Rennes",
        "Kaigasse 19/3, 5020 Salzburg",
        "Kerkbuurt 22, 8711 AB Workum",
        "Calle Mayor Antigua 52, 34005 Palencia",
        "via Madonna del Pilastrello 9, Rovigo",
        "Largo da Igreja, 3, 6300-112 Guarda",
        "5 Hounds Gate, Nottingham NG1",
    ],
)
def test_postal_address(address: str) -> None:
    assert fields(f"Écrivez-moi :\n{address}\n")["postal_address"] == address


@pytest.mark.parametrize(
    ("body", "old", "new"),
    [
        ("Vous avez écrit « Maurin » et c'est « Morin ».", "Maurin", "Morin"),
        ("Mon nom s'écrit Lemoyne, pas Lemoine.", "Lemoine", "Lemoyne"),
        ("Remplacez « Mme » par « M. » svp.", "Mme", "M."),
        ('You have me down as "Jeny", it\'s "Jenny".', "Jeny", "Jenny"),
        ("Please change Jonson to Johnson.", "Jonson", "Johnson"),
        ("Mein Name ist Maier, nicht Mayer.", "Mayer", "Maier"),
        ("Il mio cognome è Piras, non Pires.", "Pires", "Piras"),
        ("Not Abelayo. Correct am. Abeyalo.", "Abelayo", "Abeyalo"),
        ('The record says "peanut: mild". It\'s severe, please.', "peanut: mild", "severe"),
        ("Bij hem staat 5 mg, dat moet 2,5 mg zijn.", "5 mg", "2,5 mg"),
    ],
)
def test_old_and_new_value(body: str, old: str, new: str) -> None:
    found = fields(body, "rectification")
    assert (found.get("old_value"), found.get("new_value")) == (old, new)


@pytest.mark.parametrize(
    ("body", "name"),
    [
        ("Ma fille Capucine Laurin, 9 ans, était chez vous.", "Capucine Laurin"),
        ("My daughter is Hazel Prowse, she's ten.", "Hazel Prowse"),
        ("Unsere Tante Hedwig Strobl ist gestorben.", "Hedwig Strobl"),
        ("L'élève Basile a été filmé.", "Basile"),
        ("We act on behalf of Ms Dora Whitlam in this matter.", "Dora Whitlam"),
        ("Onze zoon Joep Smulders ging naar huis.", "Joep Smulders"),
        ("La madre de Alba Roldán pide la copia.", "Alba Roldán"),
    ],
)
def test_data_subject(body: str, name: str) -> None:
    assert fields(body, sender="Xavier Kern", third_party=True)["data_subject_name"] == name
    assert "data_subject_name" not in fields(body, sender="Xavier Kern")


def test_a_value_to_correct_is_not_said_of_the_sender() -> None:
    body = "Mon nouveau numéro est le 06 39 98 12 44."
    assert fields(body, "rectification") == {"new_value": "06 39 98 12 44"}


def test_a_new_address_is_the_senders_and_an_old_one_is_not() -> None:
    body = "J'ai déménagé, ma nouvelle adresse : 14 rue des Lilas, 35000 Rennes."
    address = "14 rue des Lilas, 35000 Rennes"
    assert fields(body, "rectification") == {"new_value": address, "postal_address": address}
    assert fields(f"Mon ancienne adresse, {address}, ne vaut plus.", "rectification").get("postal_address") is None


@pytest.mark.parametrize(
    ("sender", "body", "name"),
    [
        ("ASE, Mme Bacquet", "Nous attendons. Odile Bacquet, éducatrice référente", "Odile Bacquet"),
        ("Yannick Le Goff", "Salutations,\nYannick Le Goff", "Yannick Le Goff"),
        ("Clara Rojas", "Soy Clara Rojas Painemal y pido mis datos.", "Clara Rojas Painemal"),
        ("Fabien Douchy", "Vous écrivez « Fabienne Douchy ».\n\nF. Douchy", "F. Douchy"),
        ("Cabinet Vernoux", "Maître Sabine Vernoux, pour sa cliente.\n\nS. Vernoux", "Sabine Vernoux"),
        ("Fernande et Lucien Roubaud", "C'était sous Lucien Roubaud et les autres.", "Lucien Roubaud"),
        ("Jessamy Crole", "I left my umbrella. Thanks. Jess", "Jess"),
        ("Y. Traoré", "Mes chaussures sont chambre 9, merci. Yacouba", "Yacouba"),
        ("Maribel Lago", "Es con C: Lago. Maribel", "Maribel"),
        ("Pastor Emmanuel Bright", "Greetings.\nPastor Emmanuel Bright", "Emmanuel Bright"),
    ],
)
def test_a_signature_is_read_in_its_forms(sender: str, body: str, name: str) -> None:
    assert fields(body, sender=sender)["full_name"] == name


@pytest.mark.parametrize(
    ("body", "cues"),
    [
        ("notre petit ne dort plus", {"own child"}),
        ("unsere tochter war dabei", {"own child"}),
        ("nuestros corredores reciben publicidad", {"mandate"}),
        ("ma fille me dit de demander la liste", set()),
        ("sie ist erst 9 und geht in die schule", {"age"}),
        ("mon fils (9 ans) est rentre", {"own child", "age"}),
        ("j'ai 44 ans et je demande mes donnees", set()),
        ("j'ai 14 ans", {"age", "own age"}),
        ("eine erdnussallergie, steht im klassenfoto", {"health_data", "image_rights"}),
        ("mi abuela ha fallecido", {"deceased"}),
        ("repondez maintenant!!", {"urgent_tone"}),
        ("[xy-12345] la cnil", {"bulk_platform", "mentions_authority"}),
    ],
)
def test_what_speaks_for_flags(body: str, cues: set[str]) -> None:
    assert flag_cues(body) == cues


def test_recipient_of_a_transfer() -> None:
    body = "Envoyez mes séjours en CSV à la société Voyalia (reprise@voyalia.example)."
    assert fields(body, "portability") == {"recipient": "Voyalia", "recipient_email": "reprise@voyalia.example"}


@settings(max_examples=100, deadline=None)
@given(
    st.lists(
        st.sampled_from(
            [
                "Ma fille",
                "Zoé",
                "«",
                "»",
                "pas",
                "c'est",
                "12",
                "rue",
                "du 3 au",
                "5 mai",
                "\n",
                ", ",
                "M.",
                "Ł. É",
                "né le",
                "İ",
                "ß",
                "@",
                "a@b.example",
                "+33 6",
                "Réf. ",
                "-",
                "1/2/2003",
                "for",
                "J.",
            ]
        )
        | st.text(max_size=5),
        max_size=40,
    ),
    st.text(max_size=12),
)
def test_fields_stand_in_the_message_to_the_letter(pieces: list[str], sender: str) -> None:
    body = " ".join(pieces)
    for field in find(Message(id="m", body=body, from_name=sender), LABELS, third_party=True):
        assert field.start == -1 or body[field.start : field.end] == field.text


@pytest.mark.parametrize(
    "piece", ["A. ", "Ab-", "1 ", "«", "rue Ab ", "12 rue a ", "a@", "Jean de ", "du 1 ", "my son ", "\n", "né "]
)
def test_hostile_text_is_read(piece: str) -> None:
    body = piece * (12_000 // len(piece))
    found = find(Message(id="m", body=body, from_name="A B"), LABELS, third_party=True)
    assert [field for field in found if field.start >= 0 and body[field.start : field.end] != field.text] == []
