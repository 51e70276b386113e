//! `hallpass scanner`: rules for secret scanners, made from the pattern that hallpass-core
//! publishes.

use clap::{Args, ValueEnum};
use hallpass_core::Prefix;
use serde_json::json;

use crate::error::CliError;
use crate::output;

/// The arguments of the command.
#[derive(Args)]
pub(crate) struct Scanner {
    /// The scanner. `regex` prints only the pattern.
    #[arg(value_enum)]
    scanner: Which,
}

/// The known scanners.
#[derive(Clone, Copy, ValueEnum)]
enum Which {
    Gitleaks,
    Trufflehog,
    DetectSecrets,
    Regex,
}

impl Scanner {
    pub(crate) fn run(&self, prefix: &str, json: bool) -> Result<(), CliError> {
        let prefix: Prefix = prefix
            .parse()
            .map_err(|error: hallpass_core::PrefixError| CliError::Usage(error.to_string()))?;
        let rules = match self.scanner {
            Which::Gitleaks => gitleaks(&prefix),
            Which::Trufflehog => trufflehog(&prefix),
            Which::DetectSecrets => detect_secrets(&prefix),
            Which::Regex => format!("{}\n", prefix.token_pattern()),
        };
        if json {
            let regex = prefix.token_pattern();
            return output::print_json(&json!({ "regex": regex, "rules": rules }));
        }
        output::print(&rules)
    }
}

/// Returns a rule for `.gitleaks.toml`.
fn gitleaks(prefix: &Prefix) -> String {
    let pattern = prefix.token_pattern();
    format!(
        "[[rules]]\n\
         id = \"{prefix}-personal-access-token\"\n\
         description = \"Personal access token ({prefix}_...)\"\n\
         regex = '''{pattern}'''\n\
         keywords = [\"{prefix}_\"]\n"
    )
}

/// Returns a rule for the file that `trufflehog --config` names.
fn trufflehog(prefix: &Prefix) -> String {
    let pattern = prefix.token_pattern();
    format!(
        "detectors:\n  \
         - name: {prefix}-personal-access-token\n    \
         keywords:\n      \
         - {prefix}_\n    \
         regex:\n      \
         token: '{pattern}'\n"
    )
}

/// Returns a plugin for `detect-secrets scan --plugin`.
fn detect_secrets(prefix: &Prefix) -> String {
    let pattern = prefix.token_pattern();
    let mut class = prefix.as_str().to_owned();
    class[..1].make_ascii_uppercase();
    format!(
        "import re\n\n\
         from detect_secrets.plugins.base import RegexBasedDetector\n\n\n\
         class {class}TokenDetector(RegexBasedDetector):\n    \
         secret_type = 'Personal access token ({prefix}_...)'\n    \
         denylist = [re.compile(r'{pattern}')]\n"
    )
}
