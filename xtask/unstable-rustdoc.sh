#!/bin/sh
# Runs rustdoc with its unstable options: `cargo xtask public-api` reads its JSON.
RUSTC_BOOTSTRAP=1 exec rustdoc "$@"
