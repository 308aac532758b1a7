//! `demo`: the main job, end to end, on a git history.

mod child;
mod made_history;
mod report;

use std::{
    collections::BTreeSet,
    ffi::OsString,
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
    time::Instant,
};

use clap::Args;
use rootfold_core::{field, space::Sharing};
use rootfold_light::invite::Invite;
use rootfold_node::{
    git::{self, History},
    prove::Prover,
    server::Server,
    space::EpochLimits,
};
use serde_json::Value;
use tokio::{net::TcpListener, sync::oneshot, task::spawn_blocking};

use super::{
    block_on,
    failure::{Failure, OrFail},
    import::{self, Import},
    keyring::OWNER,
    parameters::ProfileName,
    progress::Bars,
    space_new, Context,
};
use child::Child;
use report::{Notes, Report};

/// `demo`
#[derive(Debug, Args)]
pub struct DemoArgs {
    /// A folder in a git repository. The default is the repository of the current folder if its
    /// history is long enough, and otherwise a made-up history.
    #[arg(long, value_name = "PATH")]
    git: Option<PathBuf>,
    /// The largest number of path changes: the oldest.
    #[arg(long, value_name = "N", default_value_t = 3200)]
    ops: usize,
    /// The size of the step circuit.
    #[arg(long, value_enum, default_value = "standard")]
    profile: ProfileName,
    /// Keeps the data of the three nodes and prints where it is.
    #[arg(long)]
    keep: bool,
}

/// Changes that come after the snapshot, so that a replica has a tail to sync.
const TAIL: usize = 8;
/// The number of epochs for the changes of the snapshot. Grants may need one more.
const EPOCHS: usize = 4;
/// The shortest history, in changes, on which the default demo shows the gain.
const ENOUGH_CHANGES: usize = 2000;
/// The smallest average number of changes per file, for the same reason.
const ENOUGH_REWRITES: usize = 4;

/// Runs the demo.
pub fn run(context: &Context, args: &DemoArgs) -> Result<(), Failure> {
    if args.ops == 0 {
        return Err(Failure::usage("--ops must be at least 1"));
    }
    let folder = tempfile::Builder::new()
        .prefix("rootfold-demo-")
        .disable_cleanup(args.keep)
        .tempdir()
        .or_unreachable("making a folder for the demo")?;
    if args.keep {
        eprintln!("the data of nodes A, B and C is in {}", folder.path().display());
    }
    let bars = context.bars();
    // Steps that can fail at once come first.
    let (git, history) = choose_history(args, folder.path(), &bars)?;
    if history.changes.is_empty() {
        return Err(Failure::unreachable("this git history changes no file that can be imported"));
    }
    let demo = Demo { context, args, folder: folder.path(), bars, git, history };
    let (report, notes) = demo.run()?;
    context.output.answer(&report, || report.table(&notes))?;
    if !report.agrees() {
        return Err(Failure::refused("the three roots are not equal"));
    }
    Ok(())
}

struct Demo<'a> {
    context: &'a Context,
    args: &'a DemoArgs,
    folder: &'a Path,
    bars: Bars,
    /// The repository that `history` was read from.
    git: PathBuf,
    history: History,
}

/// The repository that the user names; without a name, the repository of the current folder if its
/// history is long enough, and otherwise a made-up one.
fn choose_history(
    args: &DemoArgs,
    folder: &Path,
    bars: &Bars,
) -> Result<(PathBuf, History), Failure> {
    let read = |path: &Path| {
        bars.counted("reading git", None, |bar| {
            git::read_history(path, args.ops, |done| bar.set_position(done as u64))
        })
    };
    if let Some(path) = &args.git {
        return Ok((path.clone(), read(path)?));
    }
    let here = PathBuf::from(".");
    let why_not = match read(&here) {
        Ok(history) => match too_short(&history) {
            None => return Ok((here, history)),
            Some(why) => why,
        },
        Err(error) => error.to_string(),
    };
    bars.say(&format!(
        "The git history of this folder is not used: {why_not}.\n\
         A made-up history of {} edits to a wiki is used instead; --git PATH names another one.",
        args.ops
    ));
    let made = folder.join("wiki.git");
    std::fs::create_dir(&made).or_unreachable("making a folder for the demo's history")?;
    made_history::make(&made, args.ops)?;
    let history = read(&made)?;
    Ok((made, history))
}

/// Why a history is too short to show what a proof saves; `None` if it is long enough.
fn too_short(history: &History) -> Option<String> {
    let changes = history.changes.len();
    let paths: BTreeSet<&[u8]> = history.changes.iter().map(|c| c.path.as_slice()).collect();
    (changes < ENOUGH_CHANGES || changes < ENOUGH_REWRITES * paths.len()).then(|| {
        format!(
            "it has {changes} changes of {} files, and the demo needs at least {ENOUGH_CHANGES} \
             changes and {ENOUGH_REWRITES} for each file",
            paths.len()
        )
    })
}

impl Demo<'_> {
    fn run(self) -> Result<(Report, Notes), Failure> {
        let mut report = Report::default();
        let mut notes = Notes { source: self.source(), ..Notes::default() };

        let started = Instant::now();
        let parameters = self.context.parameters()?.provide(self.args.profile, &self.bars)?;
        let found = if parameters.made { "made" } else { "found" };
        let parameters = parameters.parameters;
        report.setup_s = started.elapsed().as_secs_f64();
        report.constraints = parameters.constraints() as u64;
        notes.parameters = format!("{}, {found}", parameters.name());

        let context = self.context.with_data(self.folder.join("a"));
        let (space, invite) = space_new::create(&context, &parameters, Sharing::Everyone, &[])?;
        let owner = context.keyring().read(OWNER)?;
        let mut import = Import::begin(&space, &owner, &self.git, &self.history)?;
        let changes = self.history.changes.len();
        let before_tail = changes.saturating_sub(TAIL);
        self.ingest(&mut import, before_tail)?;

        let mut prover = Prover::open(space.clone(), &context.data_dir(), parameters.clone())?;
        let max_ops = before_tail.div_ceil(EPOCHS).max(1);
        let proved = prover.prove(EpochLimits { max_ops }, None, &self.bars)?;
        let (snapshot, compress) = prover.publish(&self.bars)?;
        self.bars.clear();
        // The prover's memory is not needed for serving.
        drop(prover);
        report.fold_s = proved.fold.as_secs_f64();
        report.compress_s = compress.as_secs_f64();
        report.steps = snapshot.header.steps;
        report.proof_bytes = snapshot.proof.len() as u64;
        let proving = report.fold_s + report.compress_s;
        report.prove_ops_per_s = snapshot.header.ops as f64 / proving;
        notes.snapshot_ops = snapshot.header.ops;
        notes.epochs = proved.epochs;

        self.ingest(&mut import, changes)?;
        let status = space.status();
        report.ops = status.ops;
        report.entries = status.entries;
        report.writers = status.writers;
        report.root = field::to_hex(&status.root);

        let server = Server::new(space, Some(Arc::new(parameters.verifying_key().clone())));
        block_on(async {
            let listener = TcpListener::bind((std::net::Ipv4Addr::LOCALHOST, 0)).await;
            let listener = listener.or_unreachable("listening on 127.0.0.1")?;
            let address = listener.local_addr().or_unreachable("listening on 127.0.0.1")?;
            let (stop, stopped) = oneshot::channel::<()>();
            let serving = tokio::spawn(server.run(listener, async {
                // An error means that the sender was dropped: stop then too.
                let _ = stopped.await;
            }));
            let b = self.replica("node B", "b", "bootstrap", address, invite).await?;
            let c = self.replica("node C", "c", "replay", address, invite).await?;
            drop(stop);
            serving.await.or_unreachable("serving")??;
            report.take_bootstrap(&b)?;
            report.take_replay(&c)?;
            notes.tail_ops = report::number(&b, "tail_ops")?;
            notes.replayed_ops = report::number(&c, "ops")?;
            Ok(())
        })?;
        Ok((report, notes))
    }

    fn ingest(&self, import: &mut Import<'_>, end: usize) -> Result<(), Failure> {
        self.bars.counted("signing and ingesting", Some(end as u64), |bar| {
            import.run_to(end, |done| bar.set_position(done as u64))
        })
    }

    /// Runs a replica in a process and a data directory of its own. It gets only the invite and the
    /// address.
    async fn replica(
        &self,
        who: &'static str,
        folder: &str,
        command: &str,
        address: SocketAddr,
        invite: Invite,
    ) -> Result<Value, Failure> {
        let arguments: Vec<OsString> = vec![
            "--data".into(),
            self.folder.join(folder).into(),
            command.into(),
            "--from".into(),
            address.to_string().into(),
            "--invite".into(),
            invite.to_string().into(),
        ];
        self.bars.say(&format!("{who} runs `{command}`"));
        let child = Child::start(who, arguments)?;
        spawn_blocking(move || child.answer()).await.or_unreachable("waiting for a replica")?
    }

    /// Describes the history and the changes that are not imported.
    fn source(&self) -> Vec<String> {
        let path = self.git.canonicalize().unwrap_or_else(|_| self.git.clone());
        let mut lines = vec![format!(
            "{}: {} path changes of {} commits by {} authors",
            path.display(),
            self.history.changes.len(),
            self.history.commits,
            self.history.authors.len()
        )];
        lines.extend(import::left_out(&self.history));
        lines
    }
}
