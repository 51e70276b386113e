//! Switches for what keeps the promises. In a build without tests none of them can be off, and none costs anything.

/// A guard that is a step of the program. One that is a line of a script has no name here: it is the line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Guard {
    /// What is read is read from a primary.
    Primary,
    /// A token is read with the clock, in one command.
    #[cfg(test)]
    Snapshot,
    /// What became of a change without an answer is found out.
    FoundOut,
    /// A change is done when as many replicas have it as are asked for.
    Confirmed,
    /// A server that evicts is no store.
    KeepsAll,
}

/// Which guards are on: all of them, but in the tests that show what each is for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Guards {
    #[cfg(test)]
    off: Option<Guard>,
    #[cfg(test)]
    line: Option<(&'static str, &'static str)>,
}

impl Guards {
    pub(crate) const ON: Self = Self {
        #[cfg(test)]
        off: None,
        #[cfg(test)]
        line: None,
    };

    #[cfg(not(test))]
    pub(crate) const fn has(self, _: Guard) -> bool {
        true
    }
}

#[cfg(test)]
impl Guards {
    pub(crate) fn has(self, guard: Guard) -> bool {
        self.off != Some(guard)
    }

    /// All but this one.
    pub(crate) const fn without(guard: Guard) -> Self {
        Self { off: Some(guard), ..Self::ON }
    }

    /// All but this text, wherever it is in a script. Something else may be in its place.
    pub(crate) const fn without_line(line: &'static str, instead: &'static str) -> Self {
        Self { line: Some((line, instead)), ..Self::ON }
    }

    /// A script without the line that is off, if that is in it.
    pub(crate) fn weaken(self, script: &str) -> Option<String> {
        let (line, instead) = self.line?;
        script.contains(line).then(|| script.replace(line, instead))
    }
}
