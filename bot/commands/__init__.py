"""The commands of ``dpobot``, one module each; imported only when the command runs."""
