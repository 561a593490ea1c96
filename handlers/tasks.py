"""What a case makes us do beside answering it, as tracked tasks: computed from the journal, like everything of a case.

A task is open until somebody says that it is done or without object; who and when stands in the journal. Some are settled by what
the program sees itself: the entry in the suppression list (art. 21(3)), the notices to recipients once they have left
(art. 19). A restriction is in force from its marker until it is lifted, and it is lifted only after the notice of
art. 18(3) has left.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal, Protocol

from handlers.types import Right, Task

State = Literal["open", "done", "skipped"]

STATES: tuple[State, ...] = ("open", "done", "skipped")

SEARCH: tuple[Task, ...] = tuple(
    Task(f"search:{code}", {"fr": french, "en": english}, "15")
    for code, french, english in (
        ("bookings", "réservations", "bookings"),
        ("customer_area", "espace client", "customer area"),
        ("invoices", "factures", "invoices"),
        ("mail", "messagerie", "mail"),
        ("forms", "formulaires", "forms"),
        ("newsletter", "lettre d'information et prospection", "newsletter and marketing"),
        ("media", "photos et vidéos", "photos and videos"),
        ("health", "fiches sanitaires", "health forms"),
        ("insurance", "assurance et accidents", "insurance and accidents"),
        ("police", "fiches de police", "police forms"),
        ("cctv", "vidéosurveillance", "video surveillance"),
        ("chat", "messageries instantanées", "chat logs"),
        ("paper", "papier et archives", "paper and archives"),
        ("register", "ce registre des demandes", "this register of requests"),
    )
)
"""Where the organisation may hold data of a person; what was not searched cannot be said to hold nothing (art. 15(1))."""

MEDIA: tuple[Task, ...] = tuple(
    Task(f"media:{code}", {"fr": french, "en": english}, "7(3), 17(2)", about="pictures")
    for code, french, english in (
        ("site", "site internet", "web site"),
        ("networks", "réseaux sociaux", "social networks"),
        ("print", "brochures et affiches", "brochures and posters"),
        ("films", "films et diaporamas", "films and slide shows"),
        ("partners", "partenaires et presse qui l'ont reprise", "partners and press who reused it"),
    )
)
"""Where a picture may have been published, and is to be taken down once the consent to it is gone."""

RECIPIENTS = Task(
    "recipients",
    {
        "fr": "prévenir les destinataires, ou noter pourquoi c'est impossible",
        "en": "tell the recipients, or note why not",
    },
    "19",
    "after",
)
PROCESSORS = Task(
    "processors",
    {"fr": "faire exécuter et confirmer par les sous-traitants", "en": "have the processors do it and confirm it"},
    "28(3)(e)",
    "after",
)

INFORM = Task(
    "inform",
    {
        "fr": "informer la personne : ses données viennent d'un tiers",
        "en": "inform the person: the data came from somebody else",
    },
    "14(3)",
    "after",
)
"""Art. 14: a month from when data were obtained from another person; without object where the person knows already (14(5))."""

OWN = "own"
"""Group of the tasks that the desk adds itself; their titles are free text and lie sealed."""
MARKER, LIFT = "mark", "lift"
LIFTING = "lifting"
"""Kind of the letter that announces the end of a restriction (art. 18(3))."""


class Noted(Protocol):
    """An entry of the journal."""

    @property
    def id(self) -> int | None:
        """Its number."""

    @property
    def type(self) -> str:
        """What happened."""

    @property
    def data(self) -> dict[str, Any]:
        """Codes and numbers."""

    @property
    def actor(self) -> str:
        """Who did it."""

    @property
    def at(self) -> datetime:
        """When."""


@dataclass(frozen=True)
class Tracked:
    """A task of a case and how it stands."""

    task: Task
    rights: tuple[str, ...]
    """The rights of the case that want it; none for one that the desk added."""
    state: State = "open"
    by: str = ""
    at: datetime | None = None

    @property
    def open(self) -> bool:
        """Whether nobody has settled it yet."""
        return self.state == "open"


def tasks_of(
    rights: Mapping[str, Right], asked: Sequence[str], events: Iterable[Noted], *, own: Mapping[str, str] | None = None
) -> tuple[Tracked, ...]:
    """Return the tasks of a case that exercises *asked*, each once, in the order of the rights, then those added by hand.

    *events* is the journal of the case, oldest first; *own* gives the titles of added tasks by code.
    """
    noted = list(events)
    about = {name for event in noted if event.type == "tasks_about" for name in event.data.get("about", ())}
    found: dict[str, Tracked] = {}
    for name in asked:
        for task in rights[name].tasks if name in rights else ():
            if task.about and task.about not in about:
                continue
            before = found.get(task.code)
            found[task.code] = replace(before, rights=(*before.rights, name)) if before else Tracked(task, (name,))
    if any(event.type == "data_obtained" for event in noted):
        found.setdefault(INFORM.code, Tracked(INFORM, ()))
    for event in noted:
        if event.type == "task_added":
            code = str(event.data.get("task", ""))
            title = (own or {}).get(code, code)
            found.setdefault(code, Tracked(Task(code, {"fr": title, "en": title}, "5(2)", "after"), ()))
    for event in noted:
        for code, state in _settles(event, noted):
            if code in found:
                settled = state != "open"
                found[code] = replace(
                    found[code], state=state, by=event.actor if settled else "", at=event.at if settled else None
                )
    return tuple(found.values())


def _settles(event: Noted, noted: Sequence[Noted]) -> Iterable[tuple[str, State]]:
    """What one event says of tasks."""
    if event.type == "task_set":
        state = event.data.get("state")
        if state in STATES:
            yield str(event.data.get("task", "")), state
    elif event.type == "suppression_listed":
        yield "stop", "done"
    elif event.type == "letter_sent" and event.data.get("kind") == "recipient_notice" and not _waiting(noted):
        yield RECIPIENTS.code, "done"


def _waiting(noted: Sequence[Noted]) -> bool:
    """Whether a notice to a recipient was prepared and has neither left nor been dropped."""
    waiting: set[str] = set()
    for event in noted:
        draft = str(event.data.get("draft", ""))
        if event.type == "draft_proposed" and event.data.get("kind") == "recipient_notice":
            waiting.add(draft)
        elif event.type in ("draft_rejected", "draft_voided", "letter_sent"):
            waiting.discard(draft)
    return bool(waiting)


def left_open(tasks: Iterable[Tracked], rights: Collection[str] = ()) -> tuple[Tracked, ...]:
    """Return the tasks nobody has settled that an answer on *rights* rests on (on any, where none are named); the standing
    duty to announce the end of a restriction is none of them."""
    return tuple(
        t for t in tasks if t.open and t.task.when != "standing" and (not rights or set(rights) & set(t.rights))
    )


def duties(tasks: Iterable[Tracked], granted: Collection[str]) -> tuple[Tracked, ...]:
    """Return what is still owed once an answer has left that *granted* these rights, wholly or in part: the tasks left open,
    whether they had to be done before or after."""
    return tuple(
        t for t in tasks if t.open and t.task.when != "standing" and (set(granted) & set(t.rights) or not t.rights)
    )


def restricted_since(tasks: Iterable[Tracked]) -> datetime | None:
    """Return since when a restriction is in force: its marker is set and it has not been lifted (art. 18(1)); else None."""
    by_code = {t.task.code: t for t in tasks}
    marker, lift = by_code.get(MARKER), by_code.get(LIFT)
    if marker is None or marker.state != "done" or (lift is not None and lift.state != "open"):
        return None
    return marker.at


def may_lift(tasks: Iterable[Tracked], events: Iterable[Noted]) -> str:
    """Say why a restriction may not be noted as lifted: ``no-marker``, ``no-notice`` (art. 18(3)); empty where it may.

    Only a notice that left after the marker was set announces the end of this restriction.
    """
    since = restricted_since(tasks)
    if since is None:
        return "no-marker"
    told = any(e.type == "letter_sent" and e.data.get("kind") == LIFTING and e.at >= since for e in events)
    return "" if told else "no-notice"
