# The doors of the project: make run, make test, make lint.
.PHONY: lint
lint:
	swift format lint --strict --recursive Package.swift Sources Tests
