# Two commands: `make demo` runs the whole paper on a digital phantom, `make test` the tests.
