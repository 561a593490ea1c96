"""Tables and facts, queries, outbox, journal, sealing and migrations. Imports nothing of ours."""
