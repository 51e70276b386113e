//! Requirements as bits: what is known of one is known whole.

use std::sync::Arc;

use super::Model;
use crate::twist::{at_once, broken, step};
use crate::verify::Requirements;

pub(super) const WHAT_IS_MET_IS_SAID_TO_BE: Model = Model {
    name: "of two who ask for a requirement at once, both are told what the scopes say",
    run: || {
        let requirements = Arc::new(Requirements::default());
        let ask = || {
            let requirements = Arc::clone(&requirements);
            move || {
                let met = step("an answer", || requirements.last_is_met(true));
                (met, requirements.one_before_is_met(false))
            }
        };
        if at_once(ask(), ask()) != ((true, false), (true, false)) {
            broken("a requirement was said to be met that is not, or not to be that is");
        }
    },
};
