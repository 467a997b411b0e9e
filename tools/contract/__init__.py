"""Makes the API's contract from the code of the predict Lambda."""
