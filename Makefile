# Everything a person runs. `make help` lists it.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

# Variables reach the commands as they were typed: through the environment, read by neither make nor the shell.
override TYPED := ENV PORT DATA CONTEXT TEXT INPUT HYPERPARAMETERS TUNE DATA_SOURCE TRAINING_JOB APPROVAL PACKAGE ARTIFACT STUDENT ARGS \
	PYTHON PART TEST_WORKERS REPO DRY_RUN PUBLIC OVERWRITE LICENSE TEXT_LANGUAGE HUB_TOKEN_SECRET
# Make hands every variable of its command line on, those that it does not know included, and would read them for that.
override GIVEN := $(foreach any,$(.VARIABLES),$(if $(filter command,$(origin $(any))),$(any)))
# A command refuses those that are nearly one of its own.
override export UNKNOWN := $(filter-out $(TYPED),$(GIVEN))
$(foreach name,$(TYPED) $(GIVEN),\
	$(if $(filter undefined,$(origin $(name))),,$(eval override $(name) := $$(value $(name)))))

PYTHON ?= python3
PORT ?= 4566
ENV ?= local
# A file or folder of labelled texts. Without one, a copy of the open data set beside the project is used where there is one.
up train-sdk benchmark-serving: DATA ?= $(wildcard ../shared/data/helpful-sentences)
TEXT ?= This was a Christmas gift for my grandson.
# Values of cdk.json to deploy with others: "serving.container=slim serving.kind=instances". Each deployment needs it again.
CONTEXT ?=
# Groups of slow tests that run at the same time, each with a local cloud of its own; they wait more than they compute.
TEST_WORKERS ?= 4
PART ?=
export $(TYPED)

# The project's own words: nobody sets them from outside, `make -e` included.
override VENV := .venv/bin/python
# Where `hf auth login` left the token: beside the reader's own models, not the project's.
override CACHE := $(or $(value XDG_CACHE_HOME),$(value HOME)/.cache)
override LOGIN := $(or $(value HF_TOKEN_PATH),$(or $(value HF_HOME),$(CACHE)/huggingface)/token)
override export HF_HOME := $(abspath .local/huggingface)
override export MPLCONFIGDIR := $(abspath .local/matplotlib)
override RUN := PYTHONPATH=.:training_job:client $(VENV) -m operations
# node and cdk lie beside the project's Python; jsii looks for node on the PATH.
# pytest keeps the test files that it has prepared: that is a quarter of the time to collect them.
override PYTEST := PYTHONDONTWRITEBYTECODE= PATH="$$PWD/.venv/bin:$$PATH" $(VENV) -m pytest -q -rs
# For processes beside others: torch took a third of the time with one thread, because threads wait by computing.
override ONE_THREAD := OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1
# Where they are: each process collects its tests itself, and that takes seconds a folder.
override FAST_TESTS := tests/infra tests/unit
override SLOW_TESTS := tests/e2e tests/integration tests/unit/serving tests/unit/training tests/unit/sagemaker
override NIGHTLY_PARTS := real-data releases client containers fuzz

.PHONY: help doctor setup lock images sbom audit up config cost preflight verify data deploy cdk teardown down status logs train train-sdk recipe \
	releases report approve rollback reproduce predict publish evaluate size-endpoint client notebook contract reference synth docs lint benchmark-serving \
	test test-fast test-nightly \
	clean

help: ## list the commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {words = split($$2, word, " "); line = sprintf("  make %-17s", $$1); \
		for (i = 1; i <= words; i++) { \
			if (length(line " " word[i]) > 80) {print line; line = sprintf("%24s", "")}; line = line " " word[i]}; \
		print line}' Makefile
	@echo "  variables: PORT=$$PORT  ENV=$$ENV  DATA=$${DATA-}  PYTHON=$$PYTHON"
	@echo "  options of a command: ARGS=--help, ARGS=--json"

doctor: ## look at this machine, before or after set-up: Python, disk, memory, port, network, browser (PORT=, ARGS=--json)
	@PYTHONPATH=.:training_job "$$PYTHON" -m tools.doctor

setup: ## install everything into this folder (.venv, .venv-cloud, node_modules, build)
	@"$$PYTHON" tools/setup.py

lock: ## write requirements.lock anew after a change of a requirements file
	@"$$PYTHON" tools/setup.py --lock

images: setup ## ask the registries for the digests of the pinned images, and write them down, after a change of a tag
	@PYTHONPATH=. $(VENV) -m tools.supply images

sbom: setup ## write an SBOM in CycloneDX JSON of each thing that is deployed or installed, into build/sbom
	@PYTHONPATH=. $(VENV) -m tools.supply sbom

audit: setup ## ask OSV and npm for known weaknesses of what is locked; says what could not be checked
	@PYTHONPATH=. $(VENV) -m tools.supply audit

up: setup ## start the local cloud, deploy, train on real text, serve, print a curl line (PORT=, DATA=, HYPERPARAMETERS=, CONTEXT=)
	@$(RUN) up

config: setup ## every value of an environment's configuration, and where it comes from (ENV=, CONTEXT=)
	@$(RUN) config

cost: setup ## a month's costs of a configuration beside other ways to serve (ENV=, CONTEXT=, ARGS="--predictions 1e6 --trainings 4")
	@$(RUN) cost

preflight: setup ## check account, region, quotas and names before a deployment (ENV=dev, CONTEXT=)
	@$(RUN) preflight

verify: setup ## check a deployment: API, errors, limits, metrics, workflow (ENV=dev)
	@$(RUN) verify

data: setup ## show how a file of labelled texts is read, and what looks wrong (DATA=, HYPERPARAMETERS="label_column=…")
	@$(RUN) data

deploy: setup ## start the local cloud and deploy all stacks to it, without training (CONTEXT=)
	@$(RUN) deploy

cdk: setup ## any cdk command, on the local cloud or on AWS (ENV=dev, ARGS="diff --all", ARGS="destroy --all --force", CONTEXT=)
	@$(RUN) cdk

teardown: setup ## destroy an environment, then list what remains and whose it is (ENV=dev, ARGS="--dry-run", ARGS="--yes")
	@$(RUN) teardown

down: ## stop the local cloud and everything in it; its state stays for the next `make up`
	@[ ! -x $(VENV) ] || $(RUN) down

status: setup ## addresses, credentials and which model answers; the same as .local/status.json
	@$(RUN) status

logs: setup ## newest log lines of the training jobs, Lambdas, endpoint and workflow
	@$(RUN) logs

train: setup ## train, judge, register, release (DATA=, HYPERPARAMETERS="epochs=3 …", DATA_SOURCE=, APPROVAL=, TRAINING_JOB=, TUNE='{…}', INPUT='{…}')
	@$(RUN) train

train-sdk: setup ## launch the same training job with the SageMaker SDK's ModelTrainer
	@$(RUN) train-sdk

recipe: setup ## the training job as the console's "Create training job" page asks for it
	@$(RUN) recipe

releases: setup ## list the model packages: verdict, figures, which one serves (PACKAGE=3: all about one)
	@$(RUN) releases

report: setup ## fetch the evaluation report of a model package (PACKAGE=3; default: the newest)
	@$(RUN) report

approve: setup ## approve a model package, which releases it (PACKAGE=3)
	@$(RUN) approve

rollback: setup ## go back to the model that served before, or to PACKAGE=3
	@$(RUN) rollback

reproduce: setup ## train a package's model again from its record, and compare the figures (PACKAGE=3)
	@$(RUN) reproduce

publish: setup ## publish a model package to the Hugging Face Hub (PACKAGE=3, REPO=name/model, DRY_RUN=1, PUBLIC=1, LICENSE=, TEXT_LANGUAGE=)
	@$(RUN) publish
publish: override export HF_TOKEN_PATH := $(LOGIN)

predict: setup ## classify one text through the REST API (TEXT="…")
	@$(RUN) predict

evaluate: setup ## accuracy and F1 of the served model on its test rows, or on DATA=, counted from answers of the REST API
	@$(RUN) evaluate

size-endpoint: setup ## measure memory and latency of the model, recommend memory and concurrency (ARTIFACT=, ARGS="--help")
	@$(RUN) size-endpoint

client: setup ## build the Python client as sdist and wheel into build/client, and check both as PyPI would
	@rm -rf build/client
	@.venv/bin/uv build --quiet --offline --no-build-isolation --python $(VENV) --out-dir build/client client
	@rm -rf client/*.egg-info
	@$(VENV) -m twine --no-color check --strict build/client/*

contract: setup ## write openapi.json and its rendering anew from the code, after a change of the API
	@PYTHONPATH=.:lambda $(VENV) -m tools.contract

notebook: setup ## run docs/article.ipynb against the local cloud, after `make up`, and write it with its outputs (ARGS="--output=copy")
	@[ -f "$${LOCAL_DIR:-.local}/status.json" ] || { echo "There is no local cloud yet. Next step: make up" >&2; exit 1; }
	@env -u ARGS -u MAKEFLAGS $(VENV) -m nbconvert --to notebook --execute --inplace --log-level=WARN --ExecutePreprocessor.timeout=900 \
		--ExecutePreprocessor.record_timing=False --KernelManager.transport_encryption=auto docs/article.ipynb $${ARGS-}
# Jupyter's own files stay in this folder, too.
notebook: override export JUPYTER_CONFIG_DIR := $(abspath .local/jupyter)
notebook: override export JUPYTER_DATA_DIR := $(abspath .local/jupyter)
notebook: override export IPYTHONDIR := $(abspath .local/jupyter)

reference: setup ## write configuration.md, commands.md, verification.md and the figures of README.md anew
	@PYTHONPATH=. $(VENV) -m tools.reference

synth: setup ## synthesise the CloudFormation templates of every environment, and draw those of dev (no network, no account)
	@$(RUN) synth
	@PYTHONPATH=. $(VENV) -m tools.diagram cdk.out/dev

docs: setup ## build the documentation's site into build/docs, with warnings as errors
	@rm -rf build/docs
	@PYTHONPATH=. $(VENV) -m sphinx -W --keep-going -n -q -E -c docs -d build/docs/.doctrees . build/docs
	@echo "build/docs/index.html"

lint: setup ## ruff, its formatter, and mypy
	@$(VENV) -m ruff check . && $(VENV) -m ruff format --check . && $(VENV) -m mypy

# mypy computes on one core: the fast tests run beside it.
ifneq ($(filter test,$(value MAKECMDGOALS)),)
MAKEFLAGS += --jobs=2
endif
test: lint test-fast ## ruff, mypy and all tests: fast ones, local cloud, and the whole path with a real training
	@$(VENV) -m tools.browser
	@$(ONE_THREAD) $(PYTEST) -n "$$TEST_WORKERS" --dist loadscope --no-loadscope-reorder --durations=15 \
		-m "(integration or e2e) and not nightly" $(SLOW_TESTS)

test-nightly: setup ## the long forms: full sizes, every damage, all real data (PART=real-data, releases, client, containers or fuzz; all without)
	$(if $(filter-out $(NIGHTLY_PARTS),$(PART))$(word 2,$(PART)),$(error PART=$(PART) is not one of: $(NIGHTLY_PARTS)))
	@$(PYTEST) --durations=15 -m "nightly$${PART:+(part='$$PART')}" $(SLOW_TESTS) tests/unit/data tests/unit/fuzzing tests/infra

benchmark-serving: setup ## our serving against the stock stack over HTTP (ARTIFACT=folder, STUDENT=folder, DATA=)
	@$(VENV) benchmarks/serving.py --keep --artifact="$${ARTIFACT-}" $${STUDENT:+--student="$$STUDENT"} \
		--test="$${DATA:-training_job/data}/test.json"

test-fast: setup ## unit and infrastructure tests alone, no network
	@$(ONE_THREAD) $(PYTEST) -n 3 --dist loadscope --no-loadscope-reorder -m "not integration and not e2e and not nightly" $(FAST_TESTS)

clean: down ## remove everything that set-up and the local cloud made
	@rm -rf .venv .venv-cloud .local build cdk.out node_modules .pytest_cache .hypothesis .ruff_cache .mypy_cache
