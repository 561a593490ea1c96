"""What is still missing for the desk in chat, said at the start of the worker: how to make the bot, how to link an account."""

from __future__ import annotations

from bot.app import App
from bot.desk import roster
from bot.settings import User

HOW = {
    "fr": {
        "no_chat": (
            "Le bureau dans Telegram n'est pas réglé. Pour l'ouvrir :\n"
            "  1. dans Telegram, écrire /newbot à @BotFather et suivre ses questions ;\n"
            "  2. mettre le jeton reçu dans secrets/telegram.token et, dans les réglages :\n"
            "       [telegram]\n"
            '       token_file = "secrets/telegram.token"\n'
            "  3. relancer « dpobot run » : il donnera un code pour relier votre compte.\n"
            "En attendant, « dpobot desk » fait tout, et les avis viennent par courriel."
        ),
        "code": "Pour relier {key} au bureau dans Telegram, écrire au bot, une fois, d'ici une heure :  /start {code}",
        "later": "Un nouveau code : « dpobot link --user {key} ». En attendant, « dpobot desk » fait tout.",
    },
    "en": {
        "no_chat": (
            "The desk in Telegram is not set up. To open it:\n"
            "  1. in Telegram, write /newbot to @BotFather and answer its questions;\n"
            "  2. put the token into secrets/telegram.token and, in the settings:\n"
            "       [telegram]\n"
            '       token_file = "secrets/telegram.token"\n'
            "  3. start 'dpobot run' again: it gives a code that links your account.\n"
            "Meanwhile 'dpobot desk' does everything, and notices come by mail."
        ),
        "code": "To link {key} to the desk in Telegram, write to the bot, once, within the hour:  /start {code}",
        "later": "Another code: 'dpobot link --user {key}'. Meanwhile 'dpobot desk' does everything.",
    },
}


def code_for(app: App, user: User) -> str:
    """Make a code for *user* and return the sentence that says what to do with it; ``""`` where he has an account."""
    words = HOW[app.settings.desk.language]
    with app.database.transaction() as session:
        if user.key not in {missing.key for missing in roster.without_chat(session, app)}:
            return ""
        code = roster.new_code(session, user=user, now=app.clock.now())
    return words["code"].format(key=user.key, code=code)


def first_steps(app: App) -> list[str]:
    """Return what to do before the desk works in chat; nothing where somebody who decides is linked already.

    The code is for the first user who decides; others get theirs by ``dpobot link``.
    """
    words = HOW[app.settings.desk.language]
    if not app.settings.desk_in_chat and app.telegram is None:
        return [words["no_chat"]]
    with app.database.reading() as session:
        deciding = [user for user in roster.users(session, app) if user.role in ("dpo", "deputy")]
    if any(user.telegram_id is not None or user.matrix_id is not None for user in deciding):
        return []
    return [code_for(app, deciding[0]), words["later"].format(key=deciding[0].key)]
