use std::fs;
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::path::PathBuf;

use anyhow::{Context, Result, ensure};
use rustix::process::Signal;

use crate::account::{self, Account};
use crate::folder::Folder;
use crate::package::on_path;
use crate::port;
use crate::postgres::own_folder;
use crate::running::Running;

/// The folders for bodies that are too large for memory. By default they are the system's own.
const BODIES: &str = "http {
    client_body_temp_path body;
    proxy_temp_path proxy;
    fastcgi_temp_path fastcgi;
    uwsgi_temp_path uwsgi;
    scgi_temp_path scgi;
";

/// An nginx server with a folder of its own: a proxy in front of a service under test. It runs as
/// an unprivileged user if this process runs as root.
///
/// ```no_run
/// # fn main() -> anyhow::Result<()> {
/// let nginx = hallpass_servers::Nginx::start(&[
///     "listen {listen}; location /app/ { proxy_pass http://127.0.0.1:8080/; }",
/// ])?;
/// println!("http://{}/app/", nginx.address(0));
/// # Ok(()) }
/// ```
#[derive(Debug)]
pub struct Nginx {
    ports: Vec<u16>,
    server: Running,
    /// Dropped after the server, which uses it.
    folder: Folder,
}

impl Nginx {
    /// Starts nginx with these `server` blocks. In each, `{listen}` is the address of that block,
    /// `{listen:N}` that of block `N`, `{certificate}` and `{key}` are files with a certificate for
    /// `localhost`, which is also the authority that signed it. `cache` is the name of a cache.
    ///
    /// # Errors
    ///
    /// Returns an error if nginx is not installed, rejects the settings or does not start.
    pub fn start(servers: &[&str]) -> Result<Self> {
        let folder = own_folder()?;
        let ports = servers.iter().map(|_| port::free()).collect::<Result<Vec<_>>>()?;
        let file = |name: &str| folder.path().join(name).display().to_string();
        let (certificate, key) = (file("certificate.pem"), file("key.pem"));
        let mut blocks = String::new();
        for (server, port) in servers.iter().zip(&ports) {
            let mut block = server.replace("{listen}", &address(*port).to_string());
            for (number, port) in ports.iter().enumerate() {
                let name = format!("{{listen:{number}}}");
                block = block.replace(&name, &address(*port).to_string());
            }
            block = block.replace("{certificate}", &certificate).replace("{key}", &key);
            blocks += &format!("server {{ {block} }}\n");
        }
        if servers.iter().any(|server| server.contains("{certificate}")) {
            certify(&certificate, &key)?;
        }
        let configuration = format!(
            "worker_processes 1; pid nginx.pid; error_log stderr warn;\n\
             events {{}}\n\
             http {{\n\
             access_log off; proxy_http_version 1.1;\n\
             proxy_cache_path cache keys_zone=cache:1m;\n\
             {blocks}}}\n"
        );
        Self::launch(folder, ports, &configuration)
    }

    /// Starts nginx with a whole configuration file for one port. Relative paths in it lead to the
    /// folder.
    ///
    /// # Errors
    ///
    /// Returns an error if nginx is not installed, rejects the settings or does not start.
    pub fn start_with(configuration: impl FnOnce(u16) -> String) -> Result<Self> {
        let port = port::free()?;
        Self::launch(own_folder()?, vec![port], &configuration(port))
    }

    fn launch(folder: Folder, ports: Vec<u16>, configuration: &str) -> Result<Self> {
        let configuration = configuration.replacen("http {", BODIES, 1);
        fs::write(folder.path().join("nginx.conf"), configuration)?;
        let account = Account::unprivileged()?;
        let mut command = account::command(account.as_ref(), program()?);
        command.arg("-p").arg(folder.path()).args(["-c", "nginx.conf", "-e", "stderr"]);
        command.args(["-g", "daemon off;"]);
        let nginx = Self { ports, server: Running::default(), folder };
        let listens = || nginx.ports.iter().all(|&port| TcpStream::connect(address(port)).is_ok());
        nginx.server.start(&nginx.folder, "TERM", &command, listens)?;
        Ok(nginx)
    }

    /// Returns the address at which a block listens.
    ///
    /// # Panics
    ///
    /// Panics if there is no such block.
    #[must_use]
    pub fn address(&self, block: usize) -> SocketAddr {
        address(self.ports[block])
    }

    /// Stops nginx gracefully: it completes open requests and writes its logs.
    ///
    /// # Errors
    ///
    /// Returns an error if it is down already.
    pub fn stop(&self) -> Result<()> {
        self.server.end(Signal::QUIT)
    }

    /// Reads a file of its folder, such as a log.
    ///
    /// # Errors
    ///
    /// Returns an error if the file cannot be read.
    pub fn read(&self, name: &str) -> Result<String> {
        fs::read_to_string(self.folder.path().join(name)).context("the file cannot be read")
    }
}

fn address(port: u16) -> SocketAddr {
    SocketAddr::from((Ipv4Addr::LOCALHOST, port))
}

/// Writes a new certificate for `localhost` and its key, which the server's user can read.
fn certify(certificate: &str, key: &str) -> Result<()> {
    let account = Account::unprivileged()?;
    let program = on_path("openssl").context("install the package `openssl`")?;
    let mut openssl = account::command(account.as_ref(), program);
    openssl.args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"]);
    openssl.args(["-nodes", "-days", "2", "-subj", "/CN=localhost"]);
    openssl.args(["-addext", "subjectAltName=DNS:localhost", "-keyout", key, "-out", certificate]);
    let output =
        openssl.output().context("`openssl` cannot be run: install the package `openssl`")?;
    ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Ok(())
}

/// Returns the program's path, if the search path or Debian has one.
pub(crate) fn program() -> Result<PathBuf> {
    let debians = PathBuf::from("/usr/sbin/nginx");
    on_path("nginx")
        .or_else(|| debians.is_file().then_some(debians))
        .context("nginx is not installed: install the package `nginx-light`")
}
