"""From a labelled file to the splits that are trained and tested on."""
