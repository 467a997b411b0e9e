"""Names of the training workflow's states; `operations/` and the tests refer to them."""

CHECK = "Check input"
ROUTE = "Train or judge"
INGEST = "Ingest data"
TRAIN = "Train"

PLAN = "Plan evidence"
ANSWER = "Answer the test sentences"
CREATE_MODEL = "Create evidence model"
TRANSFORM = "Transform"
STOP_TRANSFORM = "Stop transform job"
DELETE_MODEL = "Delete evidence model"
ANSWERED = "Answered"
JUDGE = "Judge"

LOOK = "Look at champion"
COMPARE = "Is it still the champion?"
WAIT = "Wait for the serving stack"

REGISTER = "Register model"
RECORD = "Record verdict"
REPORT = "Report verdict"
DONE = "Done"
