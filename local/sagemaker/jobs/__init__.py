"""What all kinds of jobs have in common: the calls, the record, and the thread that runs a job."""
