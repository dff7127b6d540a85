# `make demo` and `make test` do all the set-up; both leave everything they install in .venv.

PYTHON   ?= python3
VENV     ?= .venv
MINUTES  ?= 4
# The backends whose agreement is tested. PyTorch's download is several GB with CUDA, so it is not among them by default.
BACKENDS ?= tensorflow jax

comma    := ,
BIN      := $(VENV)/bin
PIP      := $(BIN)/pip install --quiet --disable-pip-version-check --constraint constraints.txt
APT      := $(if $(filter 0,$(shell id -u)),,sudo -n) apt-get
TEST_EXTRAS := train,export,openvino,dev$(if $(filter jax,$(BACKENDS)),$(comma)jax)$(if $(filter torch,$(BACKENDS)),$(comma)torch$(comma)inception)

.PHONY: demo test check data browser clean
.NOTPARALLEL:

demo: $(VENV)/train data
	$(BIN)/fashion-gan train --preset fashion --minutes $(MINUTES) --save-interval 1 --out runs

test: $(VENV)/$(subst $(comma),-,$(TEST_EXTRAS)) data browser check
	FASHION_GAN_TEST_BACKENDS="$(BACKENDS)" $(BIN)/python -m pytest --numprocesses auto --maxprocesses 4 --dist loadfile

check: $(VENV)/$(subst $(comma),-,$(TEST_EXTRAS))
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

# Fashion-MNIST where it is already, or from its mirrors; where they cannot be reached, from Debian's package.
data: $(VENV)/train
	@$(BIN)/fashion-gan data --out $(VENV)/fashion_mnist.png > $(VENV)/data.txt 2> $(VENV)/data.err \
	|| { cat $(VENV)/data.err; echo "trying the package dataset-fashion-mnist"; \
	     $(APT) update -qq && $(APT) install -y -qq dataset-fashion-mnist > /dev/null; \
	     $(BIN)/fashion-gan data --out $(VENV)/fashion_mnist.png > $(VENV)/data.txt; }

# The pages' tests run in a real browser. Where none can be had they are skipped, and say so.
browser:
	@command -v chromium > /dev/null || command -v chromium-browser > /dev/null || command -v google-chrome > /dev/null \
	|| { $(APT) update -qq && $(APT) install -y -qq chromium > /dev/null; } || echo "no Chromium: its tests are skipped"

$(BIN)/pip:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "fashion-gan needs Python 3.11 or later")'
	$(PYTHON) -m venv $(VENV) || { $(APT) update -qq && $(APT) install -y -qq python3-venv && $(PYTHON) -m venv --clear $(VENV); }

# A file named after the extras says that they are installed, and is older than what decides them when they change.
$(VENV)/%: pyproject.toml constraints.txt | $(BIN)/pip
	$(PIP) --editable ".[$(subst -,$(comma),$*)]"
	@touch $@

clean:
	rm -rf $(VENV) build .mypy_cache .pytest_cache .ruff_cache src/*.egg-info
