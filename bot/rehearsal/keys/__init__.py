"""The keys of an expectation, by what they look at."""
