"""Fuzzing: inputs made from good ones by damage, and what each reader of outside input must do with them."""
