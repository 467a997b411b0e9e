"""The stock serving stack of the official Hugging Face inference image, installed and run on this machine.

multi-model-server 1.1.11 (Java) with Hugging Face's inference toolkit 2.6.0, the newest that PyPI has. `inside/` runs
in that stack's own Python; everything else here starts it, in a folder of its own and on the loopback interface.
"""
