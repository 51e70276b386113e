//! The memo of requirements: a requirement that is marked as known has its correct result.

use std::sync::Arc;

use super::Model;
use crate::mutation::{concurrently, fail, step};
use crate::verify::Requirements;

pub(super) const TWO_CONCURRENT_CHECKS: Model = Model {
    name: "two concurrent checks of a requirement both get the correct result",
    run: || {
        let requirements = Arc::new(Requirements::default());
        let ask = || {
            let requirements = Arc::clone(&requirements);
            move || {
                let met = step("an answer", || requirements.last_is_met(true));
                (met, requirements.one_before_is_met(false))
            }
        };
        if concurrently(ask(), ask()) != ((true, false), (true, false)) {
            fail("a check got the wrong result for a requirement");
        }
    },
};
