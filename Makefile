# `make demo`, `make test` and `make docs` install everything that they need, in .venv.

PYTHON   ?= python3
VENV     ?= .venv
MINUTES  ?= 4
# The backends whose agreement is tested. PyTorch is not one of them by default: with CUDA its download is several GB.
BACKENDS ?= tensorflow jax

comma    := ,
BIN      := $(VENV)/bin
PIP      := $(BIN)/pip install --quiet --disable-pip-version-check --constraint constraints.txt
APT      := $(if $(filter 0,$(shell id -u)),,sudo -n) apt-get
TEST_EXTRAS := train,course,export,openvino,dev$(if $(filter jax,$(BACKENDS)),$(comma)jax)$(if $(filter torch,$(BACKENDS)),$(comma)torch$(comma)inception)

.PHONY: demo test test-all test-lowest course docs dist address lock check data browser clean
.NOTPARALLEL:

demo: $(VENV)/train data
	$(BIN)/fashion-gan train --preset fashion --minutes $(MINUTES) --save-interval 1 --out runs

# The three rings of tests, at a smaller scale where that is possible (see CONTRIBUTING.md).
test: $(VENV)/$(subst $(comma),-,$(TEST_EXTRAS)) data browser
	@$(call beside_the_checks,$(PYTEST))

# Every test, at full scale. One of them builds the site.
test-all: $(VENV)/$(subst $(comma),-,$(TEST_EXTRAS)) $(VENV)/docs data browser
	@$(call beside_the_checks,$(PYTEST) --full)

# Run the chapters of the course, and write the notebooks that the documentation site shows. CHAPTERS="2 3" runs some.
course: $(VENV)/$(subst $(comma),-,$(TEST_EXTRAS)) data
	$(BIN)/python tools/make_course.py $(CHAPTERS)

# Fast tests and a short training with the lower bound of each requirement, in an environment of their own. Old versions
# warn about newer ones, so warnings are not errors here.
LOWEST := $(VENV)-lowest
test-lowest:
	$(PYTHON) -m venv --clear $(LOWEST)
	$(LOWEST)/bin/pip install --quiet --disable-pip-version-check packaging
	$(LOWEST)/bin/python tools/lower_bounds.py > $(LOWEST)/constraints.txt
	$(LOWEST)/bin/pip install --quiet --disable-pip-version-check --constraint $(LOWEST)/constraints.txt --editable ".[train,export,dev]"
	$(LOWEST)/bin/fashion-gan generate --count 16 --out $(LOWEST)/generated.png
	$(LOWEST)/bin/fashion-gan train --preset fashion --steps 3 --batch-size 8 --out $(LOWEST)/runs
	$(LOWEST)/bin/python -m pytest -W default tests/unit tests/integration/test_explorer.py \
		tests/integration/test_explorer_connections.py tests/integration/test_export.py

# The documentation site, as a folder that a browser opens without a server. A warning is an error. With the address of
# the repository, ADDRESS=https://github.com/OWNER/NAME, the chapters of the course have links to Colab and Kaggle.
SITE := build/site
docs: $(VENV)/docs
	@case "$(ADDRESS)" in ""|https://github.com/*/*) ;; \
		*) echo "make docs: ADDRESS=$(ADDRESS) is not https://github.com/OWNER/NAME"; exit 2;; esac
	rm -rf $(SITE)
	$(BIN)/python -m sphinx --fail-on-warning --keep-going --quiet --fresh-env --doctree-dir build/doctrees \
		--define repository_address=$(ADDRESS) docs $(SITE)
	@echo "$(CURDIR)/$(SITE)/index.html"

# The packages for an index, from the last commit: make dist ADDRESS=https://github.com/OWNER/NAME. In the README that an
# index shows, links and pictures have full addresses, at the version's tag.
dist: address $(VENV)/dev
	rm -rf build/dist dist
	mkdir -p build/dist
	git archive HEAD | tar --extract --directory build/dist
	$(BIN)/python tools/index_readme.py $(ADDRESS) > build/dist/README.md
	$(BIN)/python -m build --outdir dist build/dist

address:
	@test -n "$(ADDRESS)" || { echo "the repository's address is missing: make dist ADDRESS=https://github.com/OWNER/NAME"; exit 2; }

# Renew the versions with hashes that continuous integration installs. It needs uv.
lock:
	uv pip compile --quiet pyproject.toml $(foreach extra,train course jax export openvino docs dev,--extra $(extra)) \
		--constraint constraints.txt --python-version 3.11 --python-platform x86_64-manylinux_2_28 \
		--generate-hashes --no-annotate --no-header --output-file requirements-dev.lock

PYTEST = FASHION_GAN_TEST_BACKENDS="$(BACKENDS)" $(BIN)/python -m pytest --numprocesses auto --maxprocesses 4 \
	--dist loadfile --no-loadscope-reorder
# Lint and types are checked while the tests run, and are printed after them. Either can fail.
beside_the_checks = $(MAKE) --no-print-directory check > $(VENV)/check.txt 2>&1 & checks=$$!; \
	$(1); tests=$$?; wait $$checks; checks=$$?; cat $(VENV)/check.txt; exit $$((tests || checks))

check: $(VENV)/$(subst $(comma),-,$(TEST_EXTRAS))
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/codespell

# Fashion-MNIST: the copy that is there, or a download from a mirror, or Debian's package.
data: $(VENV)/train
	@$(BIN)/fashion-gan data --force --out $(VENV)/fashion_mnist.png > $(VENV)/data.txt 2> $(VENV)/data.err \
	|| { cat $(VENV)/data.err; echo "trying the package dataset-fashion-mnist"; \
	     $(APT) update -qq && $(APT) install -y -qq dataset-fashion-mnist > /dev/null; \
	     $(BIN)/fashion-gan data --force --out $(VENV)/fashion_mnist.png > $(VENV)/data.txt; }

# The tests of the pages need a browser. Without one they are skipped, and say so.
browser:
	@command -v chromium > /dev/null || command -v chromium-browser > /dev/null || command -v google-chrome > /dev/null \
	|| { $(APT) update -qq && $(APT) install -y -qq chromium > /dev/null; } || echo "no Chromium: its tests are skipped"

$(BIN)/pip:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "fashion-gan needs Python 3.11 or later")'
	$(PYTHON) -m venv $(VENV) || { $(APT) update -qq && $(APT) install -y -qq python3-venv && $(PYTHON) -m venv --clear $(VENV); }

# A file named after the extras marks that they are installed. It is out of date when the requirements change.
$(VENV)/%: pyproject.toml constraints.txt | $(BIN)/pip
	$(PIP) --editable ".[$(subst -,$(comma),$*)]"
	@touch $@

clean:
	rm -rf $(VENV) $(LOWEST) build dist .mypy_cache .pytest_cache .ruff_cache src/*.egg-info
