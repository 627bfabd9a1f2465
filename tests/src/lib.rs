//! Black-box tests of the host, and its benchmarks.
