//! A space as published files: what its pointer names, and queries that are answered from its files.

use rootfold_light::{
    held::{Held, HeldError},
    published::{ObjectName, Published, PublishedError, TreeFile},
};
use wasm_bindgen::prelude::{wasm_bindgen, JsError};

use crate::{
    query::{Part, Query},
    space::Space,
    state::{head_keys, State},
};

/// The names of the files that a pointer names.
#[wasm_bindgen(getter_with_clone)]
pub struct Pointer {
    /// The file with the verifying key.
    #[wasm_bindgen(js_name = verifyingKey)]
    pub verifying_key: String,
    /// The file with the newest snapshot.
    pub snapshot: String,
    /// The files with the pages of the frontier.
    pub frontier: Vec<String>,
    /// The files with the ops after the snapshot.
    pub tail: Vec<String>,
}

#[wasm_bindgen]
impl Space {
    /// Reads the pointer of published files.
    ///
    /// # Errors
    /// Not a pointer, or that of another space or other parameters.
    #[wasm_bindgen(js_name = takePointer)]
    pub fn take_pointer(&self, content: &[u8]) -> Result<Pointer, JsError> {
        let published = Published::read(content, self.named())?;
        let files = |names: &[ObjectName]| names.iter().map(ObjectName::file).collect();
        Ok(Pointer {
            verifying_key: published.verifying_key.file(),
            snapshot: published.snapshot.file(),
            frontier: files(&published.frontier),
            tail: files(&published.tail),
        })
    }
}

/// Checks that a file that a pointer names has this content.
///
/// # Errors
/// It was altered.
#[wasm_bindgen(js_name = checkObject)]
pub fn check_object(file: &str, content: &[u8]) -> Result<(), JsError> {
    if ObjectName::of(content).file() == file {
        return Ok(());
    }
    Err(PublishedError::Altered { name: file.to_owned() }.into())
}

/// Files at hand, each of which is checked under its name.
#[wasm_bindgen]
#[derive(Default)]
pub struct Files {
    held: Held,
    missing: Vec<String>,
}

#[wasm_bindgen]
impl Files {
    /// No files.
    #[wasm_bindgen(constructor)]
    pub fn new() -> Files {
        Files::default()
    }

    /// Drops all files if they are too many. To be called before a query.
    #[wasm_bindgen(js_name = makeRoom)]
    pub fn make_room(&mut self) {
        self.held.make_room();
    }

    /// The names of the files that the last read needs first.
    #[wasm_bindgen(getter)]
    pub fn missing(&self) -> Vec<String> {
        self.missing.clone()
    }

    /// Adds a file.
    ///
    /// # Errors
    /// It was altered.
    pub fn add(&mut self, file: &str, content: &[u8]) -> Result<(), JsError> {
        Ok(self.held.add(&needed(file)?, content)?)
    }

    /// Goes on without a file that nobody sends. Returns whether that is possible: of values alone.
    ///
    /// # Errors
    /// Not the name of a file that a read needs.
    pub fn withhold(&mut self, file: &str) -> Result<bool, JsError> {
        let TreeFile::Value(name) = needed(file)? else { return Ok(false) };
        self.held.withhold(name);
        Ok(true)
    }
}

impl Files {
    /// What `read` makes of the files; `None` if some are missing.
    fn read<T>(
        &mut self,
        read: impl FnOnce(&Held) -> Result<T, HeldError>,
    ) -> Result<Option<T>, JsError> {
        self.missing.clear();
        match read(&self.held) {
            Err(HeldError::Missing(files)) => {
                self.missing = files.iter().map(TreeFile::file).collect();
                Ok(None)
            }
            read => Ok(Some(read?)),
        }
    }
}

fn needed(file: &str) -> Result<TreeFile, JsError> {
    TreeFile::of_file(file).ok_or_else(|| JsError::new(&format!("{file} is not a file of a tree")))
}

#[wasm_bindgen]
impl Query {
    /// Answers from files under the proved root, and adds the ops after it. `undefined` if files are missing:
    /// see [`Files::missing`].
    ///
    /// # Errors
    /// The files do not show an answer.
    pub fn read(&self, state: &State, files: &mut Files) -> Result<Option<Part>, JsError> {
        let answer = files.read(|held| self.answer(state.header.root, held))?;
        Ok(answer.map(|answer| answer.with_tail(&state.tail)))
    }
}

#[wasm_bindgen]
impl State {
    /// Takes the heads of the first 64 of these writers from files. Returns whether all files are there: see
    /// [`Files::missing`].
    ///
    /// # Errors
    /// The files do not show the heads.
    #[wasm_bindgen(js_name = readHeads)]
    pub fn read_heads(&mut self, writers: &[u32], files: &mut Files) -> Result<bool, JsError> {
        let root = self.header.root;
        let answer = files.read(|held| held.get_many(root, &head_keys(writers), true))?;
        let Some(answer) = answer else { return Ok(false) };
        self.tail.add_heads(&answer)?;
        Ok(true)
    }

    /// Takes the next entries to be compared from files. Returns whether all files are there: see
    /// [`Files::missing`].
    ///
    /// # Errors
    /// The files do not show the entries.
    #[wasm_bindgen(js_name = readCompared)]
    pub fn read_compared(&mut self, files: &mut Files) -> Result<bool, JsError> {
        let (root, keys) = (self.header.root, self.to_compare());
        let Some(answer) = files.read(|held| held.get_many(root, &keys, false))? else {
            return Ok(false);
        };
        self.compared(answer);
        Ok(true)
    }
}
