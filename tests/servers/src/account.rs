//! PostgreSQL will not run as root: then it runs as somebody who may do nothing else.

use std::fs;
use std::os::unix::fs::chown;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};

/// Who a server runs as, where that is not who runs this process.
pub(crate) struct Account {
    user: u32,
    group: u32,
}

impl Account {
    /// An unprivileged account if this process is root's; `None` if it is unprivileged itself.
    pub(crate) fn unprivileged() -> Result<Option<Self>> {
        if !rustix::process::geteuid().is_root() {
            return Ok(None);
        }
        let accounts = fs::read_to_string("/etc/passwd").context("the accounts cannot be read")?;
        match ["postgres", "nobody"].iter().find_map(|name| Self::find(name, &accounts)) {
            Some(account) => Ok(Some(account)),
            None => bail!(
                "PostgreSQL will not run as root, and there is no account `postgres` or `nobody`"
            ),
        }
    }

    /// The numbers of a line `name:password:user:group:...`.
    fn find(name: &str, accounts: &str) -> Option<Self> {
        let mut fields = accounts
            .lines()
            .map(|line| line.split(':'))
            .find(|line| line.clone().next() == Some(name))?;
        let user = fields.nth(2)?.parse().ok()?;
        let group = fields.next()?.parse().ok()?;
        Some(Self { user, group })
    }

    /// Gives it a file or folder.
    pub(crate) fn own(&self, path: &Path) -> Result<()> {
        chown(path, Some(self.user), Some(self.group))
            .with_context(|| format!("{} cannot be given away", path.display()))
    }
}

/// The program, run as this account if there is one.
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
    fn an_account_is_found_by_its_whole_name() {
        let accounts = "postgres2:x:7:7::/:/bin/sh\npostgres:x:101:104:PostgreSQL,,,:/:/bin/bash\n";
        let found = Account::find("postgres", accounts).unwrap();
        assert_eq!((found.user, found.group), (101, 104));
        assert!(Account::find("nobody", accounts).is_none());
    }
}
