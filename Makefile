# Two commands: `make run` and `make test`. Each first sees to .venv (scripts/setup.sh): seconds once,
# milliseconds ever after. PYTHON= chooses the Python (3.10, python3.12, /a/path), ARGS= goes to the program:
#     make run ARGS=--help      make test ARGS="-k bias"      make run PYTHON=3.12

py = .venv/bin/python

.PHONY: run test bench notebook html lint setup pins clean
# Two set-ups at once would build the same .venv.
.NOTPARALLEL:
# Inherited from another environment, these would put its packages before the pinned ones.
unexport PYTHONPATH PYTHONHOME

run: setup
	@$(py) -m chapter_adam $(ARGS)

test: lint
	@$(py) -m pytest -n auto --dist loadfile --no-loadscope-reorder $(ARGS)

bench: setup
	@sh scripts/peers.sh
	@$(py) -m chapter_adam bench $(ARGS)

# The chapter with its outputs; and docs/index.html, with the exercises and the lab, which needs no network.
notebook: setup
	@$(py) scripts/build_notebook.py

html: setup
	@$(py) scripts/build_html.py

lint: setup
	@$(py) -m flake8 chapter_adam scripts tests
	@for tool in oxlint 'oxfmt --check'; do \
		said=$$(.venv/bin/$$tool chapter_adam/lab tests/lab 2>&1) || { echo "$$said"; exit 1; }; done

setup:
	@sh scripts/setup.sh

# Newest versions that fit setup.cfg, for every Python from 3.10 on; look at the difference, then commit it.
pins:
	@uv=$$(sh scripts/setup.sh uv) && "$$uv" pip compile --quiet --universal --upgrade --python-version 3.10 \
		--extra notebook --extra test --no-annotate --custom-compile-command "make pins" --output-file constraints.txt setup.cfg

clean:
	@rm -rf .venv .uv .peers build dist chapter_adam.egg-info .pytest_cache .hypothesis
	@find chapter_adam data tests scripts -name __pycache__ -prune -exec rm -rf {} +
