//! Keeps the books in a file, so that they outlive the process.
//!
//! Contract: the file is always whole, since a new one takes its place in one step. It is written
//! as soon as something changes, then at most every `PAUSE`, and once more at the end; who dies in
//! between loses what the last pause had in it. Requests wait for their turn at the state, in
//! which it is turned into text, and never for the disk.

use crate::world::{State, World};
use serde::{Deserialize, Serialize};
use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, ErrorKind, Write};
use std::path::PathBuf;
use std::time::Duration;

/// What the file is written in; a file of another version is refused, and not understood by luck.
const VERSION: u32 = 1;
/// How long the file is left alone after it was written.
const PAUSE: Duration = Duration::from_millis(100);

#[derive(Serialize, Deserialize)]
struct Document<S> {
    version: u32,
    state: S,
}

/// Read before everything else, of which another version may have any form.
#[derive(Deserialize)]
struct Version {
    version: u32,
}

#[derive(Debug)]
pub(crate) struct Keeper {
    path: PathBuf,
    /// Where the next file is written, beside the one whose place it takes.
    next: PathBuf,
}

impl Keeper {
    pub(crate) fn new(path: PathBuf) -> Self {
        let mut next = OsString::from(&path);
        next.push(".next");
        Self { path, next: next.into() }
    }

    /// What an earlier stand-in left; nothing, where there was none.
    ///
    /// # Errors
    /// When there is a file that cannot be read, which the error names.
    pub(crate) fn read(&self) -> io::Result<Option<State>> {
        let text = match fs::read(&self.path) {
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(self.about(&error)),
        };
        let invalid = |error: serde_json::Error| self.about(&io::Error::from(error));
        let Version { version } = serde_json::from_slice(&text).map_err(invalid)?;
        if version != VERSION {
            let message = format!("its version is {version}, and {VERSION} is read");
            return Err(self.about(&io::Error::new(ErrorKind::InvalidData, message)));
        }
        let document: Document<State> = serde_json::from_slice(&text).map_err(invalid)?;
        Ok(Some(document.state))
    }

    /// Writes the state as it is now.
    ///
    /// # Errors
    /// When the disk does not take it; the error names the file, which is as it was.
    pub(crate) fn write(&self, world: &World) -> io::Result<()> {
        let text = serde_json::to_vec(&Document { version: VERSION, state: &*world.lock() });
        let text = text.map_err(|error| self.about(&error.into()))?;
        let written = File::create(&self.next).and_then(|mut file| {
            file.write_all(&text)?;
            file.sync_all()
        });
        let placed = written.and_then(|()| fs::rename(&self.next, &self.path));
        placed.map_err(|error| self.about(&error))
    }

    /// Writes whenever something has changed, for ever.
    pub(crate) async fn run(&self, world: &World) {
        loop {
            world.touched.notified().await;
            self.try_to_write(world);
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// Writes, or says that it could not: the next time may go better.
    pub(crate) fn try_to_write(&self, world: &World) {
        if let Err(error) = self.write(world) {
            eprintln!("fakepay cannot keep its books: {error}");
        }
    }

    fn about(&self, error: &io::Error) -> io::Error {
        io::Error::new(error.kind(), format!("{}: {error}", self.path.display()))
    }
}
