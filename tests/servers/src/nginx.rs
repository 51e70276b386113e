use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result, ensure};

use crate::folder::Folder;
use crate::package::on_path;
use crate::port;
use crate::running::Running;

/// An nginx of one's own: a proxy in front of a service under test.
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
    /// Ends when it is dropped, before its folder goes.
    _server: Running,
    _folder: Folder,
}

impl Nginx {
    /// Starts one with these `server` blocks. In each, `{listen}` is the address of that block,
    /// `{listen:N}` that of block `N`, `{certificate}` and `{key}` are files with a certificate for
    /// `localhost`, which is also the authority that signed it. `cache` is the name of a cache.
    ///
    /// # Errors
    ///
    /// Returns an error if nginx is not installed, refuses the settings or does not start.
    pub fn start(servers: &[&str]) -> Result<Self> {
        let folder = Folder::new("hallpass-nginx-")?;
        let ports = servers.iter().map(|_| port::free()).collect::<Result<Vec<_>>>()?;
        let file = |name: &str| folder.path().join(name).display().to_string();
        let (certificate, key) = (file("certificate.pem"), file("key.pem"));
        let mut blocks = String::new();
        for (server, port) in servers.iter().zip(&ports) {
            let mut block = server.replace("{listen}", &format!("127.0.0.1:{port}"));
            for (number, port) in ports.iter().enumerate() {
                block =
                    block.replace(&format!("{{listen:{number}}}"), &format!("127.0.0.1:{port}"));
            }
            block = block.replace("{certificate}", &certificate).replace("{key}", &key);
            blocks += &format!("server {{ {block} }}\n");
        }
        if servers.iter().any(|server| server.contains("{certificate}")) {
            certify(&certificate, &key)?;
        }
        let root = rustix::process::geteuid().is_root();
        let settings = format!(
            "daemon off; {user} worker_processes 1; pid {pid}; error_log stderr warn;\n\
             events {{}}\n\
             http {{\n\
             access_log off;\n\
             client_body_temp_path {body}; proxy_temp_path {proxy}; fastcgi_temp_path {body};\n\
             uwsgi_temp_path {body}; scgi_temp_path {body};\n\
             proxy_cache_path {cache} keys_zone=cache:1m; proxy_http_version 1.1;\n\
             {blocks}}}\n",
            // As root, nginx would give its workers to somebody who cannot reach the folder.
            user = if root { "user root;" } else { "" },
            pid = file("nginx.pid"),
            body = file("body"),
            proxy = file("proxy"),
            cache = file("cache"),
        );
        let path = folder.path().join("nginx.conf");
        fs::write(&path, settings)?;
        let mut command = Command::new(program()?);
        // Before it has read the settings, it would log to a file of the system's.
        command.args(["-e", "stderr", "-p"]).arg(folder.path()).arg("-c").arg(path);
        let server = Running::default();
        let listens =
            || ports.iter().all(|port| std::net::TcpStream::connect(address(*port)).is_ok());
        server.start(&folder, "TERM", &command, listens)?;
        Ok(Self { ports, _server: server, _folder: folder })
    }

    /// Where a block listens.
    ///
    /// # Panics
    ///
    /// Panics if there is no such block.
    #[must_use]
    pub fn address(&self, block: usize) -> SocketAddr {
        address(self.ports[block])
    }
}

fn address(port: u16) -> SocketAddr {
    SocketAddr::from((Ipv4Addr::LOCALHOST, port))
}

/// Writes a new certificate for `localhost`, and its key.
fn certify(certificate: &str, key: &str) -> Result<()> {
    let mut openssl = Command::new("openssl");
    openssl.args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"]);
    openssl.args(["-nodes", "-days", "2", "-subj", "/CN=localhost"]);
    openssl.args(["-addext", "subjectAltName=DNS:localhost", "-keyout", key, "-out", certificate]);
    let output =
        openssl.output().context("`openssl` cannot be run: install the package `openssl`")?;
    ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Ok(())
}

/// The server's program, where the search path or Debian has one.
pub(crate) fn program() -> Result<PathBuf> {
    let debians = PathBuf::from("/usr/sbin/nginx");
    on_path("nginx")
        .or_else(|| debians.is_file().then_some(debians))
        .context("nginx is not installed (no `nginx`): install the package `nginx-light`")
}
