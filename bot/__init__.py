"""The shell around the rules: channels, use cases, transactions, clock, loop and commands."""
