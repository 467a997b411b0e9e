"""From a labelled file to training, validation and test rows: read, check, prepare, hold out."""
