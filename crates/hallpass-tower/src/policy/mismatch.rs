//! Warnings about routes for which the table and the router disagree. Each one is logged once.

use super::PolicyTable;
use crate::routed_path::normalized;

impl PolicyTable {
    /// Reports that the router has matched a route that the table does not have, although the table
    /// has a similar one that was probably meant.
    pub(super) fn report_route(&self, routed: &str) {
        if !self.mismatches.insert(routed) {
            return;
        }
        let patterns = || self.routes.iter().map(|route| route.pattern.as_str());
        let shape = shape(routed);
        let (meant, why) = if let Some(twin) = patterns().find(|known| self::shape(known) == shape)
        {
            let why = if ends_with_slash(twin) == ends_with_slash(routed) {
                "they name their parameters differently"
            } else {
                "only one of them ends with a slash"
            };
            (twin, why)
        } else if let Some(part) = patterns().find(|known| *known != "/" && routed.ends_with(known))
        {
            (
                part,
                "a rule needs the whole pattern, including the prefixes under which the route is \
                 nested",
            )
        } else {
            return;
        };
        tracing::warn!(
            target: "hallpass",
            "the policy table has {meant}, but the router matched {routed}, so the request is \
             rejected: {why}. Use the router's pattern in the table"
        );
    }

    /// Reports that a path was rejected because it is ambiguous, if the path that was probably
    /// meant has a rule.
    pub(super) fn report_ambiguous(&self, path: &str) {
        let meant = normalized(path);
        let Ok(found) = self.by_path.at(&meant) else { return };
        let pattern = self.routes[*found.value].pattern.as_str();
        if self.mismatches.insert(pattern) {
            tracing::warn!(
                target: "hallpass",
                "a path is rejected although {pattern} has a rule, because the inner service may \
                 interpret it differently: it has an empty segment, a dot segment, a trailing \
                 slash, or encoded characters that change its meaning. To normalise paths, do so \
                 outside of the layer"
            );
        }
    }

    /// Reports that the path at which a service is nested cannot be determined.
    pub(super) fn report_unknown_nest(&self) {
        if self.mismatches.insert("") {
            tracing::warn!(
                target: "hallpass",
                "the path at which the inner service is nested cannot be determined, so the policy \
                 table has no rule for it: put the layer around the router in which the service is \
                 nested"
            );
        }
    }
}

/// Returns a pattern without the names of its parameters, and without a slash at its end.
fn shape(pattern: &str) -> String {
    let mut shape = String::with_capacity(pattern.len());
    for segment in pattern.trim_end_matches('/').split('/').skip(1) {
        shape.push('/');
        match segment.strip_prefix('{') {
            Some(name) if name.starts_with('*') => shape.push_str("{*}"),
            Some(_) => shape.push_str("{}"),
            None => shape.push_str(segment),
        }
    }
    shape
}

fn ends_with_slash(pattern: &str) -> bool {
    pattern.ends_with('/')
}
