//! Sets of scopes.

use std::fmt;

use super::{Scope, ScopeError, Segment, segment};

/// A set of scopes, sorted and without duplicates. A token holds at most 100 scopes. The empty set
/// allows nothing.
///
/// ```
/// use hallpass_core::{Scope, ScopeSet};
///
/// let held = ScopeSet::parse(["projects:read", "jobs", "jobs"]).unwrap();
/// assert_eq!(held.len(), 2);
/// assert!(held.covers(&"jobs:run".parse().unwrap()));
/// assert!(!ScopeSet::default().covers(&"jobs".parse().unwrap()));
/// ```
#[derive(Clone, Default, PartialEq, Eq, Hash)]
pub struct ScopeSet(Box<[Scope]>);

impl ScopeSet {
    /// The maximum number of scopes of a token.
    pub const MAX_LEN: usize = 100;

    /// Parses texts into a set of scopes.
    ///
    /// # Errors
    ///
    /// Returns the [`ScopeError`] of the first text that is not a valid scope.
    pub fn parse<T: AsRef<str>>(texts: impl IntoIterator<Item = T>) -> Result<Self, ScopeError> {
        texts.into_iter().map(|text| text.as_ref().parse()).collect()
    }

    /// Returns whether one of the scopes covers `scope`.
    #[must_use]
    pub fn covers(&self, scope: &Scope) -> bool {
        self.0.iter().any(|held| held.covers(scope))
    }

    /// Returns whether one of the scopes covers the scope with these segments.
    pub(crate) fn covers_segments<S: Segment>(
        &self,
        needed: impl Iterator<Item = S> + Clone,
    ) -> bool {
        self.0.iter().any(|held| segment::covers(held.segments(), needed.clone()))
    }

    /// Returns whether the set contains exactly this scope. A scope that merely covers it does not
    /// count.
    #[must_use]
    pub fn contains(&self, scope: &Scope) -> bool {
        self.0.binary_search(scope).is_ok()
    }

    /// Returns the set that allows exactly what both sets allow.
    ///
    /// ```
    /// use hallpass_core::ScopeSet;
    ///
    /// let token = ScopeSet::parse(["projects", "jobs:read"]).unwrap();
    /// let owner = ScopeSet::parse(["projects:read", "jobs"]).unwrap();
    /// assert_eq!(token.intersection(&owner).to_string(), "jobs:read projects:read");
    /// ```
    #[must_use]
    pub fn intersection(&self, other: &Self) -> Self {
        self.iter().flat_map(|mine| other.iter().filter_map(|theirs| mine.meet(theirs))).collect()
    }

    /// Returns an iterator over the scopes, in order.
    pub fn iter(&self) -> std::slice::Iter<'_, Scope> {
        self.0.iter()
    }

    /// Returns the number of scopes.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Returns whether the set contains no scope.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl FromIterator<Scope> for ScopeSet {
    fn from_iter<I: IntoIterator<Item = Scope>>(scopes: I) -> Self {
        let mut scopes: Vec<_> = scopes.into_iter().collect();
        scopes.sort_unstable();
        scopes.dedup();
        Self(scopes.into())
    }
}

impl<'s> IntoIterator for &'s ScopeSet {
    type Item = &'s Scope;
    type IntoIter = std::slice::Iter<'s, Scope>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl IntoIterator for ScopeSet {
    type Item = Scope;
    type IntoIter = std::vec::IntoIter<Scope>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_vec().into_iter()
    }
}

impl fmt::Debug for ScopeSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

/// Writes the scopes separated by single spaces, as in OAuth.
impl fmt::Display for ScopeSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, scope) in self.iter().enumerate() {
            if place > 0 {
                f.write_str(" ")?;
            }
            f.write_str(scope.as_str())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intersection_never_widens() {
        let token = ScopeSet::parse(["projects", "jobs:read:1", "*:list"]).unwrap();
        let owner = ScopeSet::parse(["projects:read", "jobs", "admin"]).unwrap();
        let both = token.intersection(&owner);
        assert_eq!(both.to_string(), "jobs:list jobs:read:1 projects:read");
        assert!(token.intersection(&ScopeSet::default()).is_empty());
    }
}
