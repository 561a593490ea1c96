"""Embedded servers on loopback (IMAP, SMTP sink, strict Bot API) for the demo, the tests and rehearsals."""
