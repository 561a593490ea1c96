"""Ways in and out: mail (IMAP, SMTP, LMTP), Telegram, the terminal."""
