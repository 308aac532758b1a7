//! The proving service: what another prover needs to go on with the proof of a space.

use std::{
    fs::File,
    io::{self, Read, Seek},
    path::PathBuf,
};

use rootfold_light::messages;
use rootfold_proto::{
    reason::Reason,
    v1::{self, proving_service_server::ProvingService as Proving},
};
use rootfold_prover::{parameters_file, ParametersError};
use rootfold_verifier::ParameterId;
use tonic::{Request, Response, Status};

use super::{
    refusal::{check_space, internal, invalid, refuse},
    work::{ResponseStream, Work},
};
use crate::{data_dir::DataDir, space::Space};

/// The number of bytes of a file in a message.
const PART: usize = 256 * 1024;

/// Where a node has what another prover needs.
#[derive(Debug, Clone)]
pub struct ProvingFiles {
    /// The folder of parameters.
    pub parameters: PathBuf,
    /// The data directory, which has the running proof.
    pub data_dir: DataDir,
}

/// Hands parameters and the running proof to other provers.
pub struct ProvingService {
    space: Space,
    files: Option<ProvingFiles>,
    work: Work,
}

impl ProvingService {
    /// A service of the files of this space; without files it refuses all calls.
    pub fn new(space: Space, files: Option<ProvingFiles>) -> ProvingService {
        ProvingService { space, files, work: Work::reads() }
    }

    fn files(&self) -> Result<ProvingFiles, Status> {
        let refused = || refuse(Reason::Disabled, "this node hands nothing to other provers");
        self.files.clone().ok_or_else(refused)
    }

    /// Refuses parameters that are not those of the space.
    fn check_parameters(&self, asked: &[u8]) -> Result<ParameterId, Status> {
        let asked = messages::parameter_id(asked).map_err(invalid)?;
        match self.space.verifying_key()? {
            Some(key) if key.id() == asked => Ok(asked),
            _ => Err(no_parameters()),
        }
    }
}

fn no_parameters() -> Status {
    refuse(Reason::NotHeld, "this node does not have these parameters")
}

#[tonic::async_trait]
impl Proving for ProvingService {
    type FetchParametersStream = ResponseStream<v1::FetchParametersResponse>;
    type FetchRunningProofStream = ResponseStream<v1::FetchRunningProofResponse>;

    async fn fetch_parameters(
        &self,
        request: Request<v1::FetchParametersRequest>,
    ) -> Result<Response<Self::FetchParametersStream>, Status> {
        let request = request.into_inner();
        let files = self.files()?;
        let id = self.check_parameters(&request.parameters)?;
        let opened = self.work.run(move || {
            let found = parameters_file(&files.parameters, id).map_err(|e| match e {
                ParametersError::Io { source, .. } if source.kind() == io::ErrorKind::NotFound => {
                    no_parameters()
                }
                e => internal(&e),
            })?;
            let (_, file) = found.ok_or_else(no_parameters)?;
            FileParts::of(file, request.offset)
        });
        let mut parts = opened.await?;
        Ok(Response::new(self.work.stream(move || {
            let (length, part) = (parts.length, parts.next()?);
            Ok(part.map(|content| v1::FetchParametersResponse { length, content }))
        })))
    }

    async fn fetch_running_proof(
        &self,
        request: Request<v1::FetchRunningProofRequest>,
    ) -> Result<Response<Self::FetchRunningProofStream>, Status> {
        let request = request.into_inner();
        check_space(&self.space, &request.space)?;
        let files = self.files()?;
        self.check_parameters(&request.parameters)?;
        let space = self.space.clone();
        let opened = self.work.run(move || {
            let none = |what: &str| refuse(Reason::NotHeld, format!("this node has no {what}"));
            let proved = space.status().proved.filter(|proved| proved.steps > 0);
            let proved = proved.ok_or_else(|| none("running proof"))?;
            if proved.steps <= request.steps {
                return Err(none("running proof with more steps"));
            }
            let file = match File::open(files.data_dir.running_proof(&proved)) {
                Err(e) if e.kind() == io::ErrorKind::NotFound => Err(none("running proof"))?,
                file => file.map_err(|e| internal(&e))?,
            };
            FileParts::of(file, 0)
        });
        let mut parts = opened.await?;
        Ok(Response::new(self.work.stream(move || {
            let (length, part) = (parts.length, parts.next()?);
            Ok(part.map(|content| v1::FetchRunningProofResponse { length, content }))
        })))
    }
}

/// A file in parts. It stays the same file if another one gets its name meanwhile.
struct FileParts {
    file: File,
    length: u64,
    left: u64,
}

impl FileParts {
    /// The bytes of a file after the first `offset`.
    ///
    /// # Errors
    /// `OUT_OF_RANGE` if it has fewer.
    fn of(mut file: File, offset: u64) -> Result<FileParts, Status> {
        let length = file.metadata().map_err(|e| internal(&e))?.len();
        let left = length.checked_sub(offset).ok_or_else(|| {
            refuse(Reason::OutOfRange, format!("offset {offset}, and the file has {length} bytes"))
        })?;
        file.seek(io::SeekFrom::Start(offset)).map_err(|e| internal(&e))?;
        Ok(FileParts { file, length, left })
    }

    fn next(&mut self) -> Result<Option<Vec<u8>>, Status> {
        let size = usize::try_from(self.left).unwrap_or(PART).min(PART);
        if size == 0 {
            return Ok(None);
        }
        let mut part = vec![0; size];
        self.file.read_exact(&mut part).map_err(|e| internal(&e))?;
        self.left -= size as u64;
        Ok(Some(part))
    }
}
