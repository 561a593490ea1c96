"""Text to reading: what a message asks for, in which language, and how sure we are."""
