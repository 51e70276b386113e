//! Finds an unprivileged account for PostgreSQL, which does not run as root.

use std::fs;
use std::os::unix::fs::chown;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};

/// The account that a server runs as, if it differs from the one of this process.
pub(crate) struct Account {
    user: u32,
    group: u32,
}

impl Account {
    /// Returns an unprivileged account if this process runs as root, and `None` otherwise.
    ///
    /// # Errors
    ///
    /// Returns an error if the accounts cannot be read or if no suitable account exists.
    pub(crate) fn unprivileged() -> Result<Option<Self>> {
        if !rustix::process::geteuid().is_root() {
            return Ok(None);
        }
        let accounts = fs::read_to_string("/etc/passwd").context("cannot read /etc/passwd")?;
        match ["postgres", "nobody"].iter().find_map(|name| Self::find(name, &accounts)) {
            Some(account) => Ok(Some(account)),
            None => {
                bail!("PostgreSQL does not run as root: create an account `postgres` or `nobody`")
            }
        }
    }

    /// Parses the user and group ids of the line `name:password:user:group:...`.
    fn find(name: &str, accounts: &str) -> Option<Self> {
        let mut fields = accounts
            .lines()
            .map(|line| line.split(':'))
            .find(|line| line.clone().next() == Some(name))?;
        let user = fields.nth(2)?.parse().ok()?;
        let group = fields.next()?.parse().ok()?;
        Some(Self { user, group })
    }

    /// Makes this account the owner of a file or folder.
    pub(crate) fn own(&self, path: &Path) -> Result<()> {
        chown(path, Some(self.user), Some(self.group))
            .with_context(|| format!("cannot change the owner of {}", path.display()))
    }
}

/// Returns a command that runs the program as the given account, or as this process's account.
pub(crate) fn command(account: Option<&Account>, program: impl AsRef<Path>) -> Command {
    let program = program.as_ref();
    let Some(Account { user, group }) = account else { return Command::new(program) };
    let mut command = Command::new("setpriv");
    command.arg(format!("--reuid={user}")).arg(format!("--regid={group}"));
    command.args(["--clear-groups", "--"]).arg(program);
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn account_is_found_by_its_whole_name() {
        let accounts = "postgres2:x:7:7::/:/bin/sh\npostgres:x:101:104:PostgreSQL,,,:/:/bin/bash\n";
        let found = Account::find("postgres", accounts).unwrap();
        assert_eq!((found.user, found.group), (101, 104));
        assert!(Account::find("nobody", accounts).is_none());
    }
}
