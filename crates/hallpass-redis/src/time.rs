//! Times and places as bytes that sort as they do.

use hallpass_core::TokenId;
use jiff::Timestamp;
use uuid::Uuid;

use crate::bytes::{Bytes, Undecodable};

/// What is added to milliseconds so that no time is negative: 2^49. All times there are then take 50 bits, which is
/// within what a script's numbers hold, and one since 1970 is a 2 and the six bytes that an id begins with.
const BIAS: i64 = 1 << 49;

/// The length of a time.
const LEN: usize = 7;

/// The time as a number of scripts.
pub(crate) fn number(at: Timestamp) -> u64 {
    (at.as_millisecond() + BIAS).cast_unsigned()
}

/// The time, the earlier the smaller.
pub(crate) fn bytes(at: Timestamp) -> [u8; LEN] {
    let [_, bytes @ ..] = number(at).to_be_bytes();
    bytes
}

pub(crate) fn read(from: &mut Bytes<'_>) -> Result<Timestamp, Undecodable> {
    let mut number = [0; 8];
    number[1..].copy_from_slice(from.take(LEN)?);
    Ok(Timestamp::from_millisecond(i64::from_be_bytes(number) - BIAS)?)
}

pub(crate) fn read_if(there: bool, from: &mut Bytes<'_>) -> Result<Option<Timestamp>, Undecodable> {
    there.then(|| read(from)).transpose()
}

/// The time that an id says it is from.
pub(crate) fn of_id(id: TokenId) -> Result<Timestamp, Undecodable> {
    let millis = (id.as_uuid().as_u128() >> 80) as i64;
    Ok(Timestamp::from_millisecond(millis)?)
}

pub(crate) fn is_of_id(at: Timestamp, id: TokenId) -> bool {
    of_id(id).is_ok_and(|of_id| of_id == at)
}

/// Where a token stands among all: those created earlier come before, and of those of one millisecond the one with the
/// smaller id.
///
/// A token that was created when its id says takes 18 bytes: the time, a 2, and the id without its time. Of the
/// others of the same millisecond, those with a smaller id have a 1, the larger a 3, and behind it the whole id.
pub(crate) fn place(created_at: Timestamp, id: TokenId) -> Vec<u8> {
    let mut place = bytes(created_at).to_vec();
    let uuid = id.as_uuid();
    let id_bytes = uuid.as_bytes();
    match of_id(id).map(|of_id| of_id.as_millisecond().cmp(&created_at.as_millisecond())) {
        Ok(std::cmp::Ordering::Equal) => {
            place.push(2);
            place.extend(&id_bytes[6..]);
        }
        Ok(std::cmp::Ordering::Less) => {
            place.push(1);
            place.extend(id_bytes);
        }
        // An id of a year that no calendar has is of after all there are.
        Ok(std::cmp::Ordering::Greater) | Err(_) => {
            place.push(3);
            place.extend(id_bytes);
        }
    }
    place
}

/// The id of the token that stands there.
pub(crate) fn read_id_at(place: &mut Bytes<'_>) -> Result<TokenId, Undecodable> {
    let [_, since_1970 @ ..]: [u8; LEN] = place.array()?;
    let id = if place.byte()? == 2 {
        let mut id = [0; 16];
        id[..6].copy_from_slice(&since_1970);
        id[6..].copy_from_slice(place.take(10)?);
        id
    } else {
        place.array()?
    };
    Ok(TokenId::from_uuid(Uuid::from_bytes(id)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millisecond(millis).unwrap()
    }

    #[test]
    fn times_sort_as_their_bytes_and_come_back() {
        let times = [
            Timestamp::MIN.as_millisecond(),
            -1,
            0,
            1,
            255,
            256,
            1_800_000_000_000,
            // The last that there is in whole milliseconds.
            253_402_207_200_000,
        ]
        .map(at);
        assert!(times.map(bytes).is_sorted());
        for time in times {
            assert!(number(time) < 1 << 50);
            assert_eq!(read(&mut Bytes::new(&bytes(time))).unwrap(), time);
        }
    }

    #[test]
    fn places_sort_by_time_and_then_by_id() {
        let ids = [0, 1, 1 << 80, (5 << 80) - 1, 5 << 80, 5 << 80 | 9, 6 << 80, u128::MAX];
        let times = [-3, 0, 1, 4, 5, 6, 7, 253_402_207_200_000];
        let mut places = Vec::new();
        for time in times.map(at) {
            for id in ids {
                let id = TokenId::from_uuid(Uuid::from_u128(id));
                let place = place(time, id);
                let mut bytes = Bytes::new(&place);
                assert_eq!(read_id_at(&mut bytes).unwrap(), id);
                bytes.end().unwrap();
                places.push(((time, id), place));
            }
        }
        places.sort();
        assert!(places.is_sorted_by_key(|(_, place)| place.clone()), "{places:?}");
        let regular = TokenId::from_uuid(Uuid::from_u128(5 << 80 | 9));
        assert_eq!(place(at(5), regular).len(), 18);
    }
}
