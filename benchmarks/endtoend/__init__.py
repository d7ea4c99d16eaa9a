"""What benchmarks/compare and benchmarks/suites are made of. Python's standard library only, Linux only (/proc)."""
