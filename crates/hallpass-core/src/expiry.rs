//! Expiries in the forms that people write, and the instants that they stand for.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{RoundMode, SignedDuration, Timestamp, TimestampRound, Unit};

/// The expiry of a token, in one of the forms that people write.
///
/// | form | the token expires |
/// |---|---|
/// | `30d`, `12h`, `2w`, `1y` | after that time; a day is 24 hours, a week 7 days, a year 365 days |
/// | `2027-03-31`, `31-03-2027` | at the end of that day in the host's time zone (UTC by default) |
/// | `2027-03-31T12:00:00Z` | at that instant ([RFC 3339]) |
/// | `never` | never |
///
/// ```
/// use hallpass_core::Expiry;
/// use jiff::{Timestamp, tz::TimeZone};
///
/// let now: Timestamp = "2027-03-01T10:00:00Z".parse().unwrap();
/// let end = "31-03-2027".parse::<Expiry>().unwrap().resolve(now, &TimeZone::UTC).unwrap();
/// assert_eq!(end.unwrap().to_string(), "2027-04-01T00:00:00Z");
/// ```
///
/// [RFC 3339]: https://www.rfc-editor.org/rfc/rfc3339
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Expiry {
    /// The token never expires.
    Never,
    /// The token expires after this time.
    In(SignedDuration),
    /// The token expires at this instant.
    At(Timestamp),
    /// The token expires at the end of this day.
    Through(Date),
}

impl Expiry {
    /// The shortest time until a token expires. A shorter time is rejected as a mistake.
    pub const MIN_SPAN: SignedDuration = SignedDuration::from_mins(1);

    /// Creates an expiry after a number of days of 24 hours each.
    #[must_use]
    pub const fn days(days: u32) -> Self {
        Self::In(SignedDuration::from_hours(days as i64 * 24))
    }

    /// Computes the instant at which the token expires, with millisecond precision. Returns `None`
    /// if it never expires.
    ///
    /// # Errors
    ///
    /// Returns [`ExpiryError::Past`] if the instant is less than a minute after `now`, and
    /// [`ExpiryError::TooFar`] if it is later than 9999-12-30T22:00:00Z, the latest time that can
    /// be stored.
    pub fn resolve(
        self,
        now: Timestamp,
        zone: &TimeZone,
    ) -> Result<Option<Timestamp>, ExpiryError> {
        let end = match self {
            Self::Never => return Ok(None),
            Self::In(span) => now.checked_add(span).map_err(|_| ExpiryError::TooFar)?,
            Self::At(instant) => instant,
            // The day ends where the next one starts. If clocks skip that midnight, this is the
            // first instant after the gap. If midnight comes twice, it is the first one. That is
            // the `compatible` strategy of RFC 5545.
            Self::Through(date) => date
                .tomorrow()
                .and_then(|next| {
                    next.to_datetime(jiff::civil::Time::midnight()).to_zoned_datetime(zone.clone())
                })
                .map_err(|_| ExpiryError::TooFar)?
                .timestamp(),
        };
        // Every store keeps milliseconds. This fails only in the last second that jiff can
        // represent.
        let end =
            Timestamp::from_millisecond(end.as_millisecond()).map_err(|_| ExpiryError::TooFar)?;
        if end.duration_since(now) < Self::MIN_SPAN {
            Err(ExpiryError::Past)
        } else {
            Ok(Some(end))
        }
    }
}

/// Cuts a time to the millisecond, the precision of every store and of the API.
pub(crate) fn to_millis(time: Timestamp) -> Timestamp {
    // This fails only in the last second that jiff can represent, in the year 9999.
    Timestamp::from_millisecond(time.as_millisecond()).unwrap_or(time)
}

/// Rounds the boundary of a comparison up to the millisecond. Stores keep whole milliseconds, so a
/// stored time is before the result if and only if it is before `time`. If the boundary was cut
/// instead, a time in the same millisecond would no longer be before it.
pub(crate) fn boundary(time: Timestamp) -> Timestamp {
    let up = TimestampRound::new().smallest(Unit::Millisecond).mode(RoundMode::Ceil);
    // This fails only in the last second that jiff can represent, in the year 9999.
    time.round(up).unwrap_or(time)
}

/// Parses a span such as `30d`, `12h`, `2w` or `1y`.
///
/// # Errors
///
/// Returns [`ExpiryError::Form`] if the text has another form, [`ExpiryError::Past`] if the number
/// is zero, and [`ExpiryError::TooFar`] if it is too large.
pub fn parse_span(text: &str) -> Result<SignedDuration, ExpiryError> {
    let (number, unit) =
        text.split_at_checked(text.len().saturating_sub(1)).ok_or(ExpiryError::Form)?;
    let hours: i64 = match unit {
        "h" => 1,
        "d" => 24,
        "w" => 7 * 24,
        "y" => 365 * 24,
        _ => return Err(ExpiryError::Form),
    };
    if number.is_empty() || !number.bytes().all(|b| b.is_ascii_digit()) {
        return Err(ExpiryError::Form);
    }
    let number: i64 = number.parse().map_err(|_| ExpiryError::TooFar)?;
    if number == 0 {
        return Err(ExpiryError::Past);
    }
    let seconds = number.checked_mul(hours * 3600).ok_or(ExpiryError::TooFar)?;
    Ok(SignedDuration::from_secs(seconds))
}

impl std::str::FromStr for Expiry {
    type Err = ExpiryError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text == "never" {
            return Ok(Self::Never);
        }
        match shape(text).as_str() {
            "0000-00-00" => date(&text[..4], &text[5..7], &text[8..]).map(Self::Through),
            "00-00-0000" => date(&text[6..], &text[3..5], &text[..2]).map(Self::Through),
            shape if shape.starts_with("0000-00-00T00:00:00") => instant(text).map(Self::At),
            _ => parse_span(text).map(Self::In),
        }
    }
}

/// Replaces each ASCII digit by `0` and turns letters into upper case, which shows the form of a
/// date or an instant.
fn shape(text: &str) -> String {
    text.chars()
        .take(40)
        .map(|c| if c.is_ascii_digit() { '0' } else { c.to_ascii_uppercase() })
        .collect()
}

/// Parses a date from its parts.
fn date(year: &str, month: &str, day: &str) -> Result<Date, ExpiryError> {
    let number = |text: &str| text.parse::<i16>().map_err(|_| ExpiryError::Form);
    let small = |text: &str| text.parse::<i8>().map_err(|_| ExpiryError::Form);
    Date::new(number(year)?, small(month)?, small(day)?).map_err(|_| ExpiryError::NoSuchDay)
}

/// Parses a `date-time` of RFC 3339. The checks are necessary because jiff's own parser also
/// accepts forms of ISO 8601 and RFC 9557.
fn instant(text: &str) -> Result<Timestamp, ExpiryError> {
    let rest = &text[19..];
    let digits = rest
        .strip_prefix('.')
        .map_or(0, |fraction| fraction.bytes().take_while(u8::is_ascii_digit).count());
    let (fraction, offset) = rest.split_at(if digits == 0 { 0 } else { digits + 1 });
    let numeric = |offset: &str| matches!(shape(offset).as_str(), "+00:00" | "-00:00");
    if fraction.len() > 10 || !(offset.eq_ignore_ascii_case("z") || numeric(offset)) {
        return Err(ExpiryError::Form);
    }
    // POSIX time has no leap seconds, so jiff would silently use the preceding second. It also
    // accepts offsets up to 25:59, but RFC 3339 only up to 23:59.
    if &text[17..19] == "60" || offset.get(1..3).is_some_and(|hours| hours > "23") {
        return Err(ExpiryError::NoSuchDay);
    }
    match text.parse::<Timestamp>() {
        Ok(instant) => Ok(instant),
        // jiff cannot represent the last hours of the year 9999. If the same day and time is valid
        // a year earlier, then this instant exists and is merely too late.
        Err(_)
            if text.starts_with("9999-12-")
                && format!("9998{}", &text[4..]).parse::<Timestamp>().is_ok() =>
        {
            Err(ExpiryError::TooFar)
        }
        Err(_) => Err(ExpiryError::NoSuchDay),
    }
}

/// The error for an expiry that is not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ExpiryError {
    /// The text has none of the accepted forms.
    #[error(
        "write a span (`30d`, `12h`, `2w`, `1y`), a date (`2027-03-31` or `31-03-2027`), an RFC 3339 instant \
         (`2027-03-31T12:00:00Z`) or `never`"
    )]
    Form,
    /// The text has an accepted form, but the day or time does not exist.
    #[error("this day or time does not exist: check the calendar")]
    NoSuchDay,
    /// The expiry is less than a minute ahead.
    #[error("it must be at least a minute ahead")]
    Past,
    /// The expiry is later than the latest time that can be stored.
    #[error("it must not be later than 9999-12-30T22:00:00Z")]
    TooFar,
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn now() -> Timestamp {
        "2026-11-22T04:44:57.5Z".parse().unwrap()
    }

    fn end(text: &str, zone: &str) -> Result<String, ExpiryError> {
        let zone = TimeZone::get(zone).unwrap();
        let end = text.parse::<Expiry>()?.resolve(now(), &zone)?;
        Ok(end.map_or_else(|| "never".into(), |end| end.to_string()))
    }

    #[test]
    fn every_form_is_parsed() {
        for (text, expected) in [
            ("30d", "2026-12-22T04:44:57.5Z"),
            ("12h", "2026-11-22T16:44:57.5Z"),
            ("2w", "2026-12-06T04:44:57.5Z"),
            ("1y", "2027-11-22T04:44:57.5Z"),
            ("2027-03-31", "2027-04-01T00:00:00Z"),
            ("31-03-2027", "2027-04-01T00:00:00Z"),
            ("01-02-2027", "2027-02-02T00:00:00Z"),
            ("31-12-2026", "2027-01-01T00:00:00Z"),
            ("2026-11-22", "2026-11-23T00:00:00Z"),
            ("29-02-2028", "2028-03-01T00:00:00Z"),
            ("2027-03-31T12:00:00Z", "2027-03-31T12:00:00Z"),
            ("2027-03-31t12:00:00z", "2027-03-31T12:00:00Z"),
            ("2027-03-31T12:00:00.123456789+02:00", "2027-03-31T10:00:00.123Z"),
            ("2026-11-22T04:45:57.5Z", "2026-11-22T04:45:57.5Z"),
            ("9999-12-30T00:00:00Z", "9999-12-30T00:00:00Z"),
            ("9999-12-30T22:00:00Z", "9999-12-30T22:00:00Z"),
            ("9999-12-29T22:00:00-23:59", "9999-12-30T21:59:00Z"),
            ("9999-12-29", "9999-12-30T00:00:00Z"),
            ("2027-03-31T12:00:00-23:59", "2027-04-01T11:59:00Z"),
            ("never", "never"),
        ] {
            assert_eq!(end(text, "UTC").as_deref(), Ok(expected), "{text}");
        }
    }

    #[test]
    fn invalid_expiry_is_rejected() {
        use ExpiryError::{Form, NoSuchDay, Past, TooFar};
        for (text, error) in [
            ("", Form),
            ("Never", Form),
            ("30", Form),
            ("d", Form),
            ("30 d", Form),
            ("+30d", Form),
            ("-30d", Form),
            ("1.5d", Form),
            ("30m", Form),
            ("1M", Form),
            ("٣d", Form),
            ("0d", Past),
            ("99999999999999999999d", TooFar),
            ("9223372036854775807d", TooFar),
            ("8000y", TooFar),
            ("31-04-2027", NoSuchDay),
            ("29-02-2027", NoSuchDay),
            ("00-01-2027", NoSuchDay),
            ("2027-13-01", NoSuchDay),
            ("1-1-2027", Form),
            ("2027-1-1", Form),
            ("٠١-٠١-٢٠٢٧", Form),
            ("2027-03-31 ", Form),
            (" 2027-03-31", Form),
            ("2027/03/31", Form),
            ("03/31/2027", Form),
            ("2026-01-01", Past),
            ("0001-01-01", Past),
            ("9999-12-31", TooFar),
            ("9999-12-30", TooFar),
            ("30-12-9999", TooFar),
            ("9999-12-31T23:59:59Z", TooFar),
            ("9999-12-29T23:59:59-23:59", TooFar),
            ("9999-12-30T22:00:01Z", TooFar),
            ("9999-12-30T22:00:00.5Z", TooFar),
            ("9999-12-30T22:00:00.999999999Z", TooFar),
            ("2027-03-31T12:00:00.0.0Z", Form),
            ("2027-03", Form),
            ("20270331", Form),
            ("2027-090", Form),
            ("31.03.2027", Form),
            ("2026-11-22T04:45:57.4Z", Past),
            ("2027-03-31T12:00:00", Form),
            ("2027-03-31T12:00Z", Form),
            ("2027-03-31T12:00:60Z", NoSuchDay),
            ("2027-03-31T25:00:00Z", NoSuchDay),
            ("2027-03-31T12:00:00+24:00", NoSuchDay),
            ("2027-03-31T12:00:00-25:59", NoSuchDay),
            ("2027-02-30T12:00:00Z", NoSuchDay),
            ("9999-12-31T25:61:00Z", NoSuchDay),
            ("2027-03-31T12:00:00.Z", Form),
            ("2027-03-31T12:00:00Z[UTC]", Form),
            ("2027-03-31T12:00:00+0200", Form),
            ("2027-03-31 12:00:00Z", Form),
        ] {
            assert_eq!(end(text, "UTC"), Err(error), "{text:?}");
        }
    }

    #[test]
    fn expiry_past_the_latest_instant_names_that_instant() {
        let error = end("9999-12-31T23:59:59Z", "UTC").unwrap_err().to_string();
        let latest = error.rsplit(' ').next().unwrap();
        assert_eq!(end(latest, "UTC").as_deref(), Ok(latest));
        let latest: Timestamp = latest.parse().unwrap();
        assert_eq!(latest.as_second(), Timestamp::MAX.as_second());
        assert_eq!(
            Expiry::At(Timestamp::MAX).resolve(now(), &TimeZone::UTC),
            Err(ExpiryError::TooFar)
        );
    }

    #[test]
    fn end_is_cut_to_the_millisecond() {
        assert_eq!(end("2027-03-31T00:00:00.0019Z", "UTC").unwrap(), "2027-03-31T00:00:00.001Z");
    }

    #[test]
    fn day_ends_where_the_next_begins_despite_clock_changes() {
        for (text, zone, expected) in [
            ("2027-03-31", "Europe/Berlin", "2027-03-31T22:00:00Z"),
            // Cairo skips from 00:00 to 01:00 on the last Friday of April.
            ("2027-04-29", "Africa/Cairo", "2027-04-29T22:00:00Z"),
            // Havana has midnight twice on the first Sunday of November: the first one counts.
            ("2027-11-06", "America/Havana", "2027-11-07T04:00:00Z"),
        ] {
            assert_eq!(end(text, zone).as_deref(), Ok(expected), "{text} in {zone}");
        }
    }

    proptest! {
        #[test]
        fn expiry_parser_never_panics(text: String) {
            if let Ok(expiry) = text.parse::<Expiry>() {
                let _ = expiry.resolve(now(), &TimeZone::UTC);
            }
        }

        #[test]
        fn text_like_an_instant_never_panics(text in "[0-9:TZtz.+-]{8,32}") {
            let _ = text.parse::<Expiry>();
        }

        #[test]
        fn both_date_orders_mean_the_same(year in 2027..9000_i16, month in 1..=12_i8, day in 1..=28_i8) {
            let iso = format!("{year:04}-{month:02}-{day:02}");
            let dmy = format!("{day:02}-{month:02}-{year:04}");
            prop_assert_eq!(end(&iso, "UTC").unwrap(), end(&dmy, "UTC").unwrap());
        }
    }
}
