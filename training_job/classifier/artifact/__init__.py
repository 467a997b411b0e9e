"""What goes into `model.tar.gz`, and to the Hugging Face Hub."""
