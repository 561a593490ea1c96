"""The rules: pure functions, facts in and outcomes out. No clock, no database, no network."""
