"""The base model, its tokenizer, its objective and its output head."""
