//! A service behind a real nginx, with several common configurations.
#![cfg(unix)]

mod caching;
mod page;
mod paths;
mod site;

/// Removes the prefix, decodes and normalises the path, and rewrites `Host`, as `proxy_pass` with a
/// path does by default.
const MERGING: &str = "listen {listen}; location /app/ { proxy_pass http://{app}/; }";

/// Like [`MERGING`], but keeps empty segments in the path, and `Host` as the browser sent it.
const KEEPING_HOST: &str = "listen {listen}; merge_slashes off; location /app/ { \
     proxy_pass http://{app}/; proxy_set_header Host $http_host; }";

/// Passes the path on as it was sent.
const RAW: &str = "listen {listen}; location / { proxy_pass http://{app}; }";
