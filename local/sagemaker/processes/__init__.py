"""Child processes and what they need: environment, log, port, program."""
