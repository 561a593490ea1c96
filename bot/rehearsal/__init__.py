"""Rehearsals: stories of weeks and months, played against the real program under a clock that is moved."""
