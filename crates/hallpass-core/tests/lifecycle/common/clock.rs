use hallpass_testkit::ManualClock;
use jiff::{SignedDuration, Timestamp};

/// The time at which every test starts.
pub(crate) const START: &str = "2027-01-01T00:00:00Z";

pub(crate) fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

pub(crate) fn at_the_start() -> ManualClock {
    ManualClock::starting_at(at(START))
}

pub(crate) fn minutes(number: i64) -> SignedDuration {
    SignedDuration::from_mins(number)
}

pub(crate) fn days(number: i64) -> SignedDuration {
    SignedDuration::from_hours(number * 24)
}
