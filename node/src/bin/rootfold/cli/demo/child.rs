//! A replica in a process of its own.

use std::{
    ffi::OsStr,
    io::Read,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use serde_json::Value;

use super::super::failure::{Exit, Failure, OrFail};

/// The longest answer that is read, in bytes. A real answer has less than 1 KiB.
const MAX_ANSWER: u64 = 1024 * 1024;

/// A running `rootfold`. Killed when dropped.
pub struct Child {
    who: &'static str,
    process: std::process::Child,
}

impl Child {
    /// Starts this program with `--json` and `arguments`. It inherits stderr.
    pub fn start<S: AsRef<OsStr>>(
        who: &'static str,
        arguments: impl IntoIterator<Item = S>,
    ) -> Result<Child, Failure> {
        let process = Command::new(this_program()?)
            .arg("--json")
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .or_unreachable(format!("starting {who}"))?;
        Ok(Child { who, process })
    }

    /// Waits for the end and reads the answer, one line of JSON.
    pub fn answer(mut self) -> Result<Value, Failure> {
        let who = self.who;
        let mut answer = String::new();
        let stdout = self.process.stdout.take().expect("stdout is piped");
        stdout
            .take(MAX_ANSWER)
            .read_to_string(&mut answer)
            .or_unreachable(format!("reading the answer of {who}"))?;
        let status = self.process.wait().or_unreachable(format!("waiting for {who}"))?;
        match status.code() {
            Some(0) => serde_json::from_str(&answer)
                .or_unreachable(format!("{who} answered with something that is not JSON")),
            Some(code) if code == Exit::Refused as i32 => {
                Err(Failure::refused(format!("{who} refused what it was given")))
            }
            _ => Err(Failure::unreachable(format!("{who} failed: {status}"))),
        }
    }
}

/// On Linux this link names the running program even if its file was replaced, for example by a
/// build.
fn this_program() -> Result<PathBuf, Failure> {
    let link = Path::new("/proc/self/exe");
    if link.exists() {
        return Ok(link.to_path_buf());
    }
    std::env::current_exe().or_unreachable("finding this program")
}

impl Drop for Child {
    fn drop(&mut self) {
        // Both fail only for a process that has ended already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
