//! Switches for what keeps the promises. In a build without tests none of them can be off, and none
//! costs anything.

/// A guard that is a step of the program. One that is a part of a statement has no name here: it is
/// that part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Guard {
    /// What is read is read from a primary.
    Primary,
    /// A token is read with the number of the log, in one statement.
    #[cfg(test)]
    Snapshot,
    /// What became of a change without an answer is found out.
    #[cfg(test)]
    FoundOut,
}

/// Which guards are on: all of them, but in the tests that show what each is for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Guards {
    #[cfg(test)]
    off: Option<Guard>,
    #[cfg(test)]
    part: Option<(&'static str, &'static str)>,
}

impl Guards {
    pub(crate) const ON: Self = Self {
        #[cfg(test)]
        off: None,
        #[cfg(test)]
        part: None,
    };

    #[cfg(not(test))]
    pub(crate) const fn has(self, _: Guard) -> bool {
        true
    }

    /// The statement, without the part that is off.
    #[cfg(not(test))]
    pub(crate) const fn sql(self, statement: &'static str) -> &'static str {
        statement
    }
}

#[cfg(test)]
impl Guards {
    pub(crate) fn has(self, guard: Guard) -> bool {
        self.off != Some(guard)
    }

    pub(crate) fn sql(self, statement: &'static str) -> &'static str {
        match self.part {
            Some((part, instead)) if statement.contains(part) => {
                statement.replace(part, instead).leak()
            }
            _ => statement,
        }
    }

    /// All but this one.
    pub(crate) const fn without(guard: Guard) -> Self {
        Self { off: Some(guard), ..Self::ON }
    }

    /// All but this text, wherever it is in a statement. Something else may be in its place.
    pub(crate) const fn without_part(part: &'static str, instead: &'static str) -> Self {
        Self { part: Some((part, instead)), ..Self::ON }
    }
}
