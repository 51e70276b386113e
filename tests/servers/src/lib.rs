//! Real servers for the tests and benchmarks, each on a private port and in a folder of its own.
