//! Fuzzes expiries. The input is the text of an expiry. The oracle parses it with a calendar of its
//! own.

use std::sync::LazyLock;

use hallpass_core::{Expiry, ExpiryError, parse_span};
use jiff::tz::{TimeZone, offset};
use jiff::{SignedDuration, Timestamp};

/// 2026-11-22T04:44:57.5Z.
const NOW: Timestamp = Timestamp::constant(1_795_322_697, 500_000_000);

/// The latest expiry that a token may have, 9999-12-30T22:00:00Z. A later one is an error.
const LATEST: i128 = 253_402_207_200;

const NANOS: i128 = 1_000_000_000;

/// Time zones in which days start at different instants and differ in length.
static ZONES: LazyLock<[TimeZone; 4]> = LazyLock::new(|| {
    let posix = |rule| TimeZone::posix(rule).expect("a rule");
    [
        TimeZone::fixed(offset(14)),
        posix("EST5EDT,M3.2.0,M11.1.0"),
        // Daylight saving starts or ends at midnight, so midnight is missing or occurs twice.
        posix("EET-2EEST,M4.5.5/0,M10.5.4/24"),
        posix("CST5CDT,M3.2.0/0,M11.1.0/1"),
    ]
});

/// The meaning of an expiry's text.
#[derive(Debug, PartialEq)]
enum Meaning {
    Never,
    /// A number of seconds from now.
    In(i128),
    /// A number of nanoseconds after 1970.
    At(i128),
    /// Until the end of this day, counted from 1970.
    Through(i128),
}

/// Checks that the parser and the oracle agree about a text, and that the expiry resolves to the
/// instant that the oracle computes.
///
/// # Panics
///
/// Panics if they disagree.
pub fn check(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let parsed = text.parse::<Expiry>();
    let owed = read(text);
    assert_eq!(parsed.map(meaning), owed, "{text:?}");
    let in_span = matches!(owed, Ok(Meaning::In(_)));
    assert_eq!(parse_span(text).is_ok(), in_span, "{text:?}");
    let (Ok(expiry), Ok(owed)) = (parsed, owed) else { return };
    let end = expiry.resolve(NOW, &TimeZone::UTC);
    let millis = end.map(|end| end.map(|end| i128::from(end.as_millisecond())));
    assert_eq!(millis, resolve(owed), "{text:?}");
    if let Expiry::Through(date) = expiry {
        for zone in &*ZONES {
            if let Ok(Some(end)) = expiry.resolve(NOW, zone) {
                let day = |time: Timestamp| time.to_zoned_datetime(zone.clone()).date();
                let last = end - SignedDuration::from_millis(1);
                assert_eq!(day(last), date, "{text:?} ends within its day: {end} in {zone:?}");
                assert!(day(end) > date, "{text:?} ends later than its day: {end} in {zone:?}");
            }
        }
    }
}

fn meaning(expiry: Expiry) -> Meaning {
    match expiry {
        Expiry::Never => Meaning::Never,
        Expiry::In(span) => Meaning::In(i128::from(span.as_secs())),
        Expiry::At(instant) => Meaning::At(instant.as_nanosecond()),
        Expiry::Through(date) => {
            let number = |part: i8| part.unsigned_abs().into();
            Meaning::Through(
                day(date.year().unsigned_abs().into(), number(date.month()), number(date.day()))
                    .expect("a date is a day"),
            )
        }
        other => panic!("unknown form of expiry: {other:?}"),
    }
}

/// Returns the expiry in milliseconds after 1970.
fn resolve(meaning: Meaning) -> Result<Option<i128>, ExpiryError> {
    let now = NOW.as_nanosecond();
    let end = match meaning {
        Meaning::Never => return Ok(None),
        Meaning::In(seconds) => now + seconds * NANOS,
        Meaning::At(nanos) => nanos,
        Meaning::Through(day) => (day + 1) * 86_400 * NANOS,
    };
    if end > LATEST * NANOS {
        return Err(ExpiryError::TooFar);
    }
    let millis = end / 1_000_000;
    if millis * 1_000_000 < now + 60 * NANOS { Err(ExpiryError::Past) } else { Ok(Some(millis)) }
}

fn read(text: &str) -> Result<Meaning, ExpiryError> {
    if text == "never" {
        return Ok(Meaning::Never);
    }
    if !text.is_ascii() {
        return Err(ExpiryError::Form);
    }
    if let Some([year, month, date]) = fields(text, "0000-00-00") {
        return day(year, month, date).map(Meaning::Through).ok_or(ExpiryError::NoSuchDay);
    }
    if let Some([date, month, year]) = fields(text, "00-00-0000") {
        return day(year, month, date).map(Meaning::Through).ok_or(ExpiryError::NoSuchDay);
    }
    if let Some(instant) = instant(text) {
        return match instant {
            None => Err(ExpiryError::NoSuchDay),
            Some(nanos) if nanos >= (LATEST + 1) * NANOS => Err(ExpiryError::TooFar),
            Some(nanos) => Ok(Meaning::At(nanos)),
        };
    }
    span(text)
}

/// Parses `1*DIGIT` and a unit.
fn span(text: &str) -> Result<Meaning, ExpiryError> {
    let number = text.trim_end_matches(['h', 'd', 'w', 'y']);
    let hours = match &text[number.len()..] {
        "h" => 1,
        "d" => 24,
        "w" => 7 * 24,
        "y" => 365 * 24,
        _ => return Err(ExpiryError::Form),
    };
    if number.is_empty() || !number.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(ExpiryError::Form);
    }
    // A number that does not fit 128 bits is too large anyway.
    let number = number.parse::<i128>().unwrap_or(i128::MAX);
    match number.saturating_mul(hours * 3600) {
        0 => Err(ExpiryError::Past),
        seconds if seconds > i128::from(i64::MAX) => Err(ExpiryError::TooFar),
        seconds => Ok(Meaning::In(seconds)),
    }
}

/// Parses a date-time of RFC 3339, section 5.6, with at most nine fractional digits. Returns `None`
/// if the text is no date-time, and `Some(None)` if there is no such instant: a leap second has
/// none in POSIX time.
fn instant(text: &str) -> Option<Option<i128>> {
    let text = text.to_ascii_uppercase();
    let (start, rest) = text.split_at_checked(19)?;
    let [year, month, date, hour, minute, second] = fields(start, "0000-00-00T00:00:00")?;
    let (fraction, offset) = match rest.strip_prefix('.') {
        Some(rest) => rest.split_at(rest.find(|c: char| !c.is_ascii_digit())?),
        None => ("0", rest),
    };
    if !(1..=9).contains(&fraction.len()) {
        return None;
    }
    let nanos: i128 = format!("{fraction:0<9}").parse().ok()?;
    let (sign, [hours, minutes]) = if offset == "Z" {
        (1, [0, 0])
    } else if let Some(fields) = fields(offset, "+00:00") {
        (1, fields)
    } else {
        (-1, fields(offset, "-00:00")?)
    };
    let valid = hour < 24 && minute < 60 && second < 60 && hours < 24 && minutes < 60;
    Some(day(year, month, date).filter(|_| valid).map(|day| {
        let local = ((day * 24 + hour) * 60 + minute) * 60 + second;
        let seconds = local - sign * (hours * 60 + minutes) * 60;
        seconds * NANOS + nanos
    }))
}

/// Returns the numbers in a text of this form, where `0` stands for any digit.
fn fields<const N: usize>(text: &str, form: &str) -> Option<[i128; N]> {
    let fits = text.len() == form.len()
        && text
            .bytes()
            .zip(form.bytes())
            .all(|(byte, form)| if form == b'0' { byte.is_ascii_digit() } else { byte == form });
    let numbers = text.split(|c: char| !c.is_ascii_digit()).filter(|digits| !digits.is_empty());
    let numbers: Vec<i128> = numbers.filter_map(|digits| digits.parse().ok()).collect();
    numbers.try_into().ok().filter(|_| fits)
}

/// Returns the number of a day, counted from 1970-01-01 as 0, or `None` if there is no such day.
fn day(year: i128, month: i128, date: i128) -> Option<i128> {
    let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let february = if is_leap { 29 } else { 28 };
    let months = [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let before = usize::try_from(month).ok()?.checked_sub(1)?;
    if !(1..=*months.get(before)?).contains(&date) {
        return None;
    }
    // The number of leap years before this one. The year 0 is a leap year.
    let leaps = (year + 3) / 4 - (year + 99) / 100 + (year + 399) / 400;
    Some(year * 365 + leaps + months[..before].iter().sum::<i128>() + date - 1 - 719_528)
}
