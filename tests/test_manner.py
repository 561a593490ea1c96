# ruff: noqa: E501 - a message a line
"""Robots that set no header, and people who write of the same things: told apart by their manner."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from email.message import EmailMessage

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.channels import mime
from bot.channels.base import RawMessage
from nlp import manner, robots, robots_train
from tests.fakes import Office
from tests.world import mail

ROBOTS = """
Re: Votre dossier DSR-2026-0001 | Bonjour, Merci de votre message. De retour lundi 9 mars, je n'ai pas accès à ma messagerie d'ici là. Si c'est pressé, ma collègue Sonia prend le relais : sonia@atelier.example. Hugo Besson
Re: Accusé de réception | Je profite de quelques jours de repos et ne relève pas mes courriels avant le 16 mars. Votre message ne sera pas perdu : je le lirai en rentrant.
Accusé de réception | Bonjour, Votre courrier est bien arrivé dans notre boîte. Il sera examiné par le pôle compétent. Vous n'avez rien d'autre à faire. Le secrétariat
Indisponible | Je suis indisponible toute la semaine. Vos messages seront traités à compter du 23 mars.
Re: dossier | Le cabinet est fermé pour les fêtes et rouvrira le 4 janvier. Pour les urgences, composez le 15.
[#88213] Votre sollicitation | Bonjour, Nous vous confirmons l'ouverture du ticket 88213. Un technicien va le prendre en charge. Pour le suivre, cliquez ici : https://aide.atelier.example/88213
Re: Demande de justificatif | Chers correspondants, je ne travaille que les mardis et jeudis. Je vous lirai donc un peu plus tard. Bien à vous.
Re: information | Cette messagerie n'étant plus consultée, merci d'écrire désormais à accueil@atelier.example.
Re: Votre demande | Bonjour, j'ai pris ma retraite le 31 janvier. Pour toute question, merci de joindre Paul Mérand (paul@atelier.example).
Re: Your request DSR-2026-0002 | Hi there! I'm off enjoying some time with my family and will be checking email only occasionally. Expect a reply after March 12.
We got it! | Hello, We've got your email and one of our agents will pick it up shortly. Our usual response time is one business day. The Support Crew
Re: Acknowledgement | I am out until Tuesday 17th with no phone or laptop. If it can't wait, please try Dana on +44 20 7946 0000.
Request received (#55102) | Your request (55102) has been received and is being reviewed by our support staff. To add additional comments, reply to this email.
Re: Proof of identity | Please note that I retired at the end of December. Kindly direct future correspondence to office@studio.example.
Re: your case | Our office will be closed from 24 December through 2 January. Messages received during this time will be handled when we reopen.
Re: letter | This inbox is unattended. For help visit our support centre at https://help.studio.example.
Re: data | I'm currently on jury duty and may be slow to respond this week. Thanks for your patience!
Re: Ihre Anfrage | Guten Tag, ich bin derzeit nicht am Platz und ab dem 16.03. wieder für Sie da. Ihre Mail wird in der Zwischenzeit nicht gelesen. Freundliche Grüße Anke Roth
Ihre Nachricht an uns | Sehr geehrte Damen und Herren, Ihre Nachricht ist bei uns eingegangen und wird schnellstmöglich bearbeitet. Von Rückfragen bitten wir abzusehen.
AW: Vorgang | Ich genieße gerade ein paar freie Tage. Ab Montag lese ich wieder meine Mails. In eiligen Fällen hilft Ihnen Herr Blum weiter.
Ticket 4471 eröffnet | Für Ihr Anliegen wurde das Ticket 4471 angelegt. Ein Mitarbeiter meldet sich bei Ihnen.
Re: Nachweis | Das Postfach wird nicht mehr abgerufen. Bitte schreiben Sie künftig an kontakt@werk.example.
AW: Ihr Fall | Seit dem 1. Januar bin ich im Ruhestand. Meine Nachfolgerin erreichen Sie unter ina@werk.example.
Re: Frage | Betriebsferien! Wir haben vom 23.12. bis 6.1. geschlossen und sind danach gern wieder für Sie da.
Re: Unterlagen | Heute bin ich auf Dienstreise und nur eingeschränkt erreichbar; ich antworte Ihnen morgen.
Re: Su solicitud | Hola: Estaré desconectada hasta el 20 de marzo. Para asuntos urgentes, escriba a mi compañera Nuria: nuria@taller.example. Un saludo
Solicitud registrada | Su consulta ha quedado registrada con el número 7781. Le responderemos en un plazo de 48 horas.
Re: expediente | Disfruto de unos días de descanso y no leeré el correo hasta el lunes. Gracias por su paciencia.
Re: documento | Este buzón ya no se utiliza. Por favor, diríjase a info@taller.example.
RE: Acuse | Gracias por escribirnos. Nuestro equipo revisará su mensaje y se pondrá en contacto con usted.
Re: caso | La oficina permanecerá cerrada por vacaciones del 1 al 31 de agosto.
RE: Identidad | Me he jubilado. Su mensaje no será leído; contacte con Luis en luis@taller.example.
Fuera | No me encuentro en la oficina esta semana; atenderé su correo a mi vuelta.
Re: La sua richiesta | Buongiorno, sono fuori sede fino al 18 marzo e leggerò la posta saltuariamente. Per urgenze: carla@studio.example.
Richiesta n. 9021 | La Sua segnalazione è stata registrata con il numero 9021. Un operatore La contatterà a breve.
R: pratica | Lo studio resterà chiuso per ferie dal 5 al 26 agosto. Alla riapertura risponderemo a tutti.
Re: documento | Questa casella non è più attiva. Vi preghiamo di scrivere a info@studio.example.
Re: conferma | Il messaggio è arrivato. La ricontatteremo appena possibile. Cordiali saluti, la segreteria
Re: caso | Sono in congedo di maternità; al mio posto c'è Laura Neri, laura@studio.example.
R: identità | In questi giorni non sono in ufficio. Rientro lunedì.
Re: dossier | Dal primo gennaio sono in pensione e questa posta non viene più letta.
Re: Uw verzoek | Beste, Ik geniet van een weekje vrij en ben dinsdag weer bereikbaar. Mijn collega Joris helpt u graag: joris@werkplaats.example.
Uw melding 3310 | Uw melding is geregistreerd onder nummer 3310. Een medewerker neemt zo snel mogelijk contact met u op.
Re: dossier | Deze mailbox wordt niet meer gelezen. Stuur uw bericht naar info@werkplaats.example.
Re: bewijs | Ik werk niet op woensdag en vrijdag; op die dagen lees ik geen mail.
Re: zaak | Ons kantoor is tussen kerst en nieuwjaar gesloten. Vanaf 3 januari staan wij weer voor u klaar.
Re: ontvangst | Hartelijk dank voor uw mail. Wij streven ernaar binnen twee werkdagen te antwoorden.
Re: uw zaak | Per 1 februari ben ik met pensioen. Neem contact op met Els via els@werkplaats.example.
Re: vraag | Momenteel ben ik niet op kantoor en heb ik beperkt toegang tot mijn e-mail.
Re: O seu pedido | Olá, Encontro-me de férias até 20 de março e não vou consultar o correio. Em caso de urgência: rita@oficina.example.
Pedido 6612 | O seu pedido foi registado com o número 6612. Será contactado por um dos nossos colaboradores.
Re: processo | Estou ausente do escritório e regresso na segunda-feira.
Re: documento | Esta caixa de correio deixou de ser consultada. Escreva para geral@oficina.example.
Re: receção | Agradecemos o seu contacto. A nossa equipa responderá no prazo de dois dias úteis.
Re: caso | Os nossos serviços estão encerrados de 24 de dezembro a 2 de janeiro.
Re: identidade | Reformei-me em janeiro; por favor contacte o meu colega Nuno em nuno@oficina.example.
Re: dados | Estou de licença de maternidade. Voltarei em setembro.
Re: Votre demande | Votre message a été transmis au service concerné qui vous répondra directement. Ceci ne préjuge pas de la suite donnée.
Re: request | Thank you, your message has been forwarded to the appropriate department. Please allow 5 working days.
"""
PEOPLE = """
Re: Votre dossier DSR-2026-0001 | Bonjour, Désolé pour le retard, je rentre de congés. Voici ma carte en pièce jointe. Hugo
Mes données | Je serai absent jusqu'au 20 mars, merci de m'envoyer ma copie par courriel et non par la poste.
Re: justificatif | Je suis en déplacement jusqu'à vendredi, je vous transmets le passeport lundi.
Fermeture de mon compte | Bonjour, mon compte est fermé mais vous continuez à m'écrire. Cessez.
Absence de réponse | Je n'ai toujours rien reçu. Absence de réponse depuis deux mois, c'est inadmissible.
Re: accusé de réception | Merci pour votre message. Pouvez-vous me dire quand je recevrai la copie ?
Re: Votre demande | Merci, bien reçu. J'attends donc la suite.
Congés | J'ai dormi chez vous pendant mes congés d'août ; effacez tout ce qui me concerne.
Ancienne adresse | Cette adresse n'est plus utilisée, remplacez-la par lea@nouvelle.example dans votre fichier.
Re: dossier | Je ne travaille plus à l'atelier, écrivez-moi à mon adresse personnelle : hugo@perso.example. Supprimez l'autre.
Re: Your request | Sorry, I was out of the office. Yes, please go ahead and delete everything.
Re: identity | I am away until Monday, so please give me until then to send the passport scan.
Re: case | Thank you for your email. I don't agree, and I maintain what I asked for.
Holiday booking | During our holiday in your hostel you filmed us. Which recordings exist?
Re: copy | Thanks for getting back. When will it be ready? I'll be travelling from the 20th.
No longer a guest | I no longer work with your partner school. Remove my contact from the system.
Ticket 4512 | Regarding ticket 4512: your colleague has not answered. What do you hold on me?
Re: ID | I'm on leave and can't scan anything before the 9th. Is a photo fine?
Re: your letter | Got it, thanks. Please use this address only, the old mailbox is closed.
Re: Ihre Anfrage | Entschuldigung, ich war im Urlaub. Anbei die Kopie meines Ausweises.
Urlaub | In meinem Urlaub habe ich bei Ihnen übernachtet. Welche Daten haben Sie noch?
AW: Nachweis | Ich bin bis Freitag verreist und schicke den Ausweis danach.
Adresse | Diese Adresse wird nicht mehr benutzt. Bitte tragen Sie künftig mia@neu.example ein.
Re: Eingang | Vielen Dank für Ihre Nachricht. Das reicht mir nicht, ich will die vollständige Liste.
Ruhestand | Ich bin seit Januar im Ruhestand und brauche Ihre Gruppenangebote nicht mehr. Streichen Sie mich.
Re: Fall | Danke, ist angekommen. Dann warte ich ab.
Re: Su solicitud | Perdón, estaba de vacaciones. Les envío el DNI.
Vacaciones | Estuve de vacaciones en su albergue en julio. Borren mi ficha.
Re: documento | Estoy de viaje hasta el lunes; entonces mando la copia.
Re: acuse | Gracias por su respuesta. Sigo esperando la lista de destinatarios.
Correo | Ya no uso este correo, cambien la dirección a ana@nueva.example.
Baja | Estoy de baja y no podré ir a París. Cancelen y eliminen lo que tengan sobre mí.
Re: La sua richiesta | Scusi, ero in ferie. Ecco il documento.
Ferie | Sono in ferie a Parigi e ho perso la tessera: chi vede la mia foto nel vostro sistema?
R: conferma | Grazie per la risposta. Aspetto quindi la copia entro il mese.
Re: documento | Sono fuori fino a venerdì, poi mando la scansione.
Casella | Questa casella non la uso più, scrivetemi a leo@nuova.example e togliete la vecchia.
Pensione | Da gennaio sono in pensione: toglietemi dall'elenco delle scuole.
Re: Uw verzoek | Sorry, ik was op vakantie. Hierbij de kopie.
Vakantie | Tijdens mijn vakantie bij jullie is er gefilmd. Wie bekijkt die beelden?
Re: bewijs | Ik ben tot maandag weg, daarna stuur ik het paspoort.
Re: dossier | Bedankt voor uw bericht. Ik ben het er niet mee eens.
Adres | Dit adres gebruik ik niet meer; zet sam@nieuw.example in uw bestand.
Re: ontvangst | Ontvangen, dank. Ik wacht het af.
Re: O seu pedido | Desculpe, estava de férias. Segue a cópia do cartão.
Férias | Passei as férias no vosso albergue e recebo publicidade desde então. Parem.
Re: documento | Estou fora até segunda; depois mando a cópia.
Re: receção | Obrigado pela resposta. Continuo à espera da lista.
Correio | Este correio já não é meu, usem rui@novo.example.
Reforma | Reformei-me e já não organizo viagens: apaguem o meu contacto.
Re: Votre demande | Je reviens vers vous : rien reçu dans le délai annoncé.
Accusé de réception | Accusez réception de ce courrier, s'il vous plaît.
Re: case | Your office was closed when I called. Please tell me the status.
Votre message automatique | Votre message automatique ne répond pas à ma question. Que savez-vous sur moi ?
Nos bureaux | Nos bureaux sont fermés en août. Merci d'envoyer la réponse à mon adresse privée avant.
Re: dossier | Je suis en arrêt maladie, on m'a volé mon badge chez vous. Qui a eu accès au registre ?
Re: suivi | Nous avons bien reçu votre lettre. Elle ne répond qu'à la moitié de ce que ma fille demandait.
Re: Zaak | Wij hebben uw brief ontvangen en zijn het er niet mee eens.
Re: request | We have received your reply and we are not satisfied with it.
"""


def read(subject: str, text: str, *, answer: bool = True) -> tuple[bool, bool]:
    made = EmailMessage()
    made["From"], made["To"], made["Subject"] = "Quelqu'un <x@atelier.example>", "dpo@mije.com", subject
    if answer:
        made["In-Reply-To"] = "<lettre@mije.com>"
    made.set_content(text)
    found = mime.arrival(RawMessage("s", "1", datetime(2026, 3, 2, tzinfo=UTC), made.as_bytes()))
    return found.suppress, found.is_auto_reply


@pytest.mark.parametrize("line", ROBOTS.strip().splitlines())
def test_a_robot_without_headers_is_known_by_its_manner(line):
    subject, text = line.split(" | ")
    assert read(subject, text) == (True, True)


@pytest.mark.parametrize("line", PEOPLE.strip().splitlines())
def test_a_person_with_an_errand_is_no_robot(line):
    subject, text = line.split(" | ")
    assert [read(subject, text, answer=answer) for answer in (True, False)] == [(False, False)] * 2


@given(st.text(max_size=300), st.booleans())
@settings(max_examples=100, deadline=None)
def test_a_question_or_an_errand_is_never_a_robot(text, answer):
    for errand in ("?", " passport", " voici", " Entschuldigung"):
        assert not manner.nobody_there(f"{text}{errand}", answer=answer)
        assert not manner.only_received(f"{text}{errand}")


def test_the_model_of_manners_is_what_its_lessons_teach():
    given = robots_train.lessons()[::9]
    table, bias = robots_train.teach(given)
    one = next(lesson for lesson in given if lesson.robot)
    assert robots.weigh(table, bias, *robots.features(one.subject, one.text)) > robots.LIKELY
    read = [(robots.likelihood(each.subject, each.text) >= robots.LIKELY, each.robot) for each in given]
    assert sum(said != robot for said, robot in read) / len(read) < 0.01


def test_a_line_of_the_lessons_that_says_neither_robot_nor_person_is_refused(tmp_path):
    (tmp_path / "robots").mkdir()
    (tmp_path / "robots" / "fr.txt").write_text("Re: x | ni l'un ni l'autre", encoding="utf-8")
    with pytest.raises(ValueError, match=r"fr\.txt: a line is"):
        robots_train.lessons(tmp_path)


@given(st.text(max_size=2_000), st.text(max_size=3_000))
@settings(max_examples=100, deadline=None)
def test_whatever_is_written_has_a_likelihood(subject, text):
    assert 0 <= robots.likelihood(subject, text) <= 1


@pytest.fixture
def office(tmp_path) -> Iterator[Office]:
    made = Office(tmp_path / "data")
    yield made
    made.close()


def test_a_request_in_the_manner_of_a_robot_opens_a_case_and_gets_no_automatic_answer(office):
    text = "Je suis en retraite, supprimez mes coordonnées. Écrivez à mon collègue paul@atelier.example."
    office.arrive(mail(text, sender="Jean <jean@atelier.example>", subject="Retraite"))
    assert list(office.case().rights) == ["erasure"]
