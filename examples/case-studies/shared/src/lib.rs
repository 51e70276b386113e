//! Parts that several of the rebuilt products have in common.

mod numbers;
mod sign_in;

pub use self::{
    numbers::Numbers,
    sign_in::{Destination, sign_in_page},
};
