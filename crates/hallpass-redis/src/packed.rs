//! How a token is written in a value, and read back. What makes no sense is an error, never a guess.
//!
//! One string holds a token: a byte for the version of this format and one for what of the rest is there, the
//! revision, the times that scripts look at, the digests, and then what only this library reads. Scripts read and
//! write the same (`scripts/common.lua`).

use hallpass_core::store::{PreviousSecret, Secrets, StoreError, StoredToken};
use hallpass_core::{Digest, Owner, Revision, Scope, ScopeSet, TokenId, TokenRecord};
use jiff::Timestamp;
use uuid::Uuid;

use crate::bytes::{self, Bytes, Undecodable};
use crate::time;

/// The version of the format.
const VERSION: u8 = 1;

const EXPIRES: u8 = 1;
const REVOKED: u8 = 1 << 1;
const USED: u8 = 1 << 2;
const PREVIOUS: u8 = 1 << 3;
/// Created at another time than the id says.
const CREATED: u8 = 1 << 4;
const REGENERATED: u8 = 1 << 5;

/// The algorithm that nearly every digest is of takes no room.
const COMMON_ALGORITHM: &str = "sha256";

/// What a script is given of a record, piece by piece.
pub(crate) struct Pieces {
    /// What is there of the pieces, but for those that a record does not hold.
    pub(crate) flags: u8,
    pub(crate) revision: [u8; 8],
    pub(crate) expires: Vec<u8>,
    pub(crate) revoked: Vec<u8>,
    pub(crate) rest: Vec<u8>,
    /// Where it stands in the index of all.
    pub(crate) place: Vec<u8>,
    /// When it is over, as scripts count; empty if never.
    pub(crate) ends: String,
}

impl Pieces {
    pub(crate) fn of(record: &TokenRecord) -> Self {
        let optional = |at: Option<Timestamp>| at.map(|at| time::bytes(at).to_vec());
        let created = (!time::is_of_id(record.created_at, record.id))
            .then(|| time::bytes(record.created_at).to_vec());
        let regenerated = optional(record.regenerated_at);
        let (expires, revoked) = (optional(record.expires_at), optional(record.revoked_at));
        let flag = |piece: &Option<Vec<u8>>, flag| if piece.is_some() { flag } else { 0 };
        let flags = flag(&expires, EXPIRES)
            | flag(&revoked, REVOKED)
            | flag(&created, CREATED)
            | flag(&regenerated, REGENERATED);
        let mut rest = created.unwrap_or_default();
        rest.extend(regenerated.unwrap_or_default());
        for text in [record.owner.as_str(), &record.name, &record.description] {
            bytes::push_text(&mut rest, text);
        }
        bytes::push_text(&mut rest, &record.scopes.to_string());
        let ends = [record.expires_at, record.revoked_at].into_iter().flatten().min();
        Self {
            flags,
            revision: revision(record.revision),
            expires: expires.unwrap_or_default(),
            revoked: revoked.unwrap_or_default(),
            rest,
            place: time::place(record.created_at, record.id),
            ends: ends.map(|at| time::number(at).to_string()).unwrap_or_default(),
        }
    }
}

/// The revision, as it is compared.
pub(crate) fn revision(revision: Revision) -> [u8; 8] {
    revision.get().to_be_bytes()
}

/// The digests of the current secret, and of the one before if there is one.
pub(crate) fn secrets(secrets: &Secrets) -> (Vec<u8>, Vec<u8>) {
    let previous = secrets.previous.as_ref().map(|previous| {
        let mut bytes = digest(&previous.digest);
        bytes.extend(time::bytes(previous.until));
        bytes
    });
    (digest(&secrets.current), previous.unwrap_or_default())
}

/// A digest: the length of its algorithm's name, the name, the bytes.
pub(crate) fn digest(digest: &Digest) -> Vec<u8> {
    let algorithm = match digest.algorithm() {
        COMMON_ALGORITHM => "",
        other => other,
    };
    let mut out = Vec::with_capacity(1 + algorithm.len() + digest.bytes().len());
    // An algorithm and the id of a key are some tens of characters long.
    out.push(algorithm.len() as u8);
    out.extend(algorithm.as_bytes());
    out.extend(digest.bytes());
    out
}

/// The whole value of a token.
pub(crate) fn pack(token: &StoredToken, pieces: &Pieces) -> Vec<u8> {
    let used = token.record.last_used_at.map(|at| time::bytes(at).to_vec());
    let (current, previous) = secrets(&token.secrets);
    let mut flags = pieces.flags;
    if used.is_some() {
        flags |= USED;
    }
    if !previous.is_empty() {
        flags |= PREVIOUS;
    }
    let mut value = vec![VERSION, flags];
    value.extend(pieces.revision);
    for piece in [
        &pieces.expires,
        &pieces.revoked,
        &used.unwrap_or_default(),
        &current,
        &previous,
        &pieces.rest,
    ] {
        value.extend(piece);
    }
    value
}

/// The token of a value.
pub(crate) fn unpack(id: TokenId, value: &[u8]) -> Result<StoredToken, StoreError> {
    Packed::read(id, value).and_then(Packed::into_token).map_err(StoreError::corrupt)
}

/// What a value says, for whom a look is enough: an error whenever [`unpack`] is one. Many tokens have the scopes of the one
/// before, which are known to be some.
pub(crate) fn look<'v>(
    id: TokenId,
    value: &'v [u8],
    known: &mut &'v str,
) -> Result<Packed<'v>, StoreError> {
    let mut look = || {
        let packed = Packed::read(id, value)?;
        if packed.scopes != *known {
            packed.scopes().try_for_each(|scope| scope.parse::<Scope>().map(drop))?;
            *known = packed.scopes;
        }
        Ok::<_, Undecodable>(packed)
    };
    look().map_err(StoreError::corrupt)
}

/// A token with its texts still in its value.
pub(crate) struct Packed<'v> {
    pub(crate) id: TokenId,
    pub(crate) owner: Owner,
    pub(crate) name: &'v str,
    pub(crate) description: &'v str,
    /// Between single spaces.
    scopes: &'v str,
    pub(crate) created_at: Timestamp,
    pub(crate) expires_at: Option<Timestamp>,
    pub(crate) last_used_at: Option<Timestamp>,
    pub(crate) revoked_at: Option<Timestamp>,
    regenerated_at: Option<Timestamp>,
    revision: Revision,
    secrets: Secrets,
}

impl<'v> Packed<'v> {
    fn read(id: TokenId, value: &'v [u8]) -> Result<Self, Undecodable> {
        let mut value = Bytes::new(value);
        if value.byte()? != VERSION {
            return Err("a record of another version".into());
        }
        let flags = value.byte()?;
        if flags & !(EXPIRES | REVOKED | USED | PREVIOUS | CREATED | REGENERATED) != 0 {
            return Err("a record with something unknown in it".into());
        }
        let has = |flag| flags & flag != 0;
        let revision = Revision::new(u64::from_be_bytes(value.array()?));
        let expires_at = time::read_if(has(EXPIRES), &mut value)?;
        let revoked_at = time::read_if(has(REVOKED), &mut value)?;
        let last_used_at = time::read_if(has(USED), &mut value)?;
        let current = read_digest(&mut value)?;
        let previous = if has(PREVIOUS) {
            let digest = read_digest(&mut value)?;
            Some(PreviousSecret { digest, until: time::read(&mut value)? })
        } else {
            None
        };
        let created_at = match time::read_if(has(CREATED), &mut value)? {
            Some(created_at) => created_at,
            None => time::of_id(id)?,
        };
        let regenerated_at = time::read_if(has(REGENERATED), &mut value)?;
        let owner = Owner::new(value.text()?)?;
        let (name, description, scopes) = (value.text()?, value.text()?, value.text()?);
        value.end()?;
        Ok(Self {
            id,
            owner,
            name,
            description,
            scopes,
            created_at,
            expires_at,
            last_used_at,
            revoked_at,
            regenerated_at,
            revision,
            secrets: Secrets { current, previous },
        })
    }

    /// The scopes as they are written.
    pub(crate) fn scopes(&self) -> impl Iterator<Item = &'v str> {
        let is_there = !self.scopes.is_empty();
        is_there.then(|| self.scopes.split(' ')).into_iter().flatten()
    }

    fn into_token(self) -> Result<StoredToken, Undecodable> {
        let scopes = ScopeSet::parse(self.scopes())?;
        let mut record = TokenRecord::new(self.id, self.owner, self.name, self.created_at);
        self.description.clone_into(&mut record.description);
        record.scopes = scopes;
        record.expires_at = self.expires_at;
        record.last_used_at = self.last_used_at;
        record.revoked_at = self.revoked_at;
        record.regenerated_at = self.regenerated_at;
        record.revision = self.revision;
        Ok(StoredToken { record, secrets: self.secrets })
    }

    /// The record of one that was [looked](look) at.
    pub(crate) fn into_record(self) -> Result<TokenRecord, StoreError> {
        self.into_token().map(|token| token.record).map_err(StoreError::corrupt)
    }
}

fn read_digest(value: &mut Bytes<'_>) -> Result<Digest, Undecodable> {
    let length = value.byte()?;
    let algorithm = match std::str::from_utf8(value.take(length.into())?)? {
        "" => COMMON_ALGORITHM,
        COMMON_ALGORITHM => return Err("a digest that is written otherwise".into()),
        other => other,
    };
    Ok(Digest::from_parts(algorithm, value.take(32)?)?)
}

/// The id of 16 bytes.
pub(crate) fn id(bytes: &[u8]) -> Result<TokenId, StoreError> {
    Uuid::from_slice(bytes).map(TokenId::from_uuid).map_err(StoreError::corrupt)
}
