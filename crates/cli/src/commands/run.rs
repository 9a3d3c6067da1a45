//! `keyless run`: starts a program that has an identity and no key, stands invisibly between it and its caller, and takes the
//! identity back when it ends.

use std::ffi::OsStr;
use std::os::unix::process::ExitStatusExt as _;
use std::process::ExitStatus;
use std::time::Duration;

use keyless_audit::{AuditEvent, Outcome};
use keyless_model::Timestamp;
use keyless_server::local::api::{AccountStatus, AttachRequest};
use tokio::process::{Child, Command};

use super::Context;
use super::audit::{short_id, troubles_since};
use super::loan::{bundles, identity, request, say_what_changed};
use crate::args::Run;
use crate::child_env::{ChildEnvironment, Loan};
use crate::client::{Lease, Local, LocalFailure, System};
use crate::data_dir::DataDir;
use crate::exit::Exit;
use crate::failure::{Ending, Explain as _, Failure};
use crate::machine::{fresh_secret, now};
use crate::ui::{code, faint};

mod signals;

pub(super) use signals::Signals;

/// How soon a restarted system is found again.
const RETRY: Duration = Duration::from_millis(200);
const REFUSALS_BEFORE_TELLING: u32 = 25;

pub(super) async fn run(context: &mut Context<'_>, args: &Run) -> Ending {
    // Before the program starts, so that no signal is lost in between.
    let signals = Signals::watch()?;
    let system = System::find(context.data()?).await?;
    let account = system.account(args.account.as_deref())?;
    let [program, arguments @ ..] = args.command.as_slice() else {
        return Err(Failure::usage("no program was named", "name it after `--`: keyless run -- python app.py"));
    };
    let wish = Wish { identity: &identity(&system, args.identity.as_deref())?, account: Some(account), program, keep: &args.keep };
    let lending = Lending::begin(context, &system, &wish).await?;
    let mut command = lending.command(program);
    command.args(arguments);
    lending.run(context, command, signals).await
}

/// What is to be lent to which program.
pub(super) struct Wish<'a> {
    pub(super) identity: &'a str,
    pub(super) account: Option<&'a AccountStatus>,
    pub(super) program: &'a OsStr,
    pub(super) keep: &'a [String],
}

/// An identity lent to the programs that this command starts, and the environment in which they find it.
pub(super) struct Lending {
    child: ChildEnvironment,
    keeper: Keeper,
}

impl Lending {
    pub(super) async fn begin(context: &mut Context<'_>, system: &System, wish: &Wish<'_>) -> Result<Self, Failure> {
        let header = fresh_secret();
        let wanted = request(wish.identity, "run", &header, wish.program.display().to_string(), None);
        let lease = system.local.attach_run(&wanted).await?;
        let loan = Loan { attached: &lease.attached, header: &header, status: &system.status, account: wish.account };
        let child = ChildEnvironment::new(&context.environment, &loan, &bundles(system)?, wish.keep);
        say_what_changed(context, &child);
        Ok(Self {
            child,
            keeper: Keeper { local: system.local.clone(), data: system.data.clone(), wanted, lease, began: now(), refusals: 0 },
        })
    }

    /// A program that will have the identity and no key.
    pub(super) fn command(&self, program: &OsStr) -> Command {
        let mut command = Command::new(program);
        for variable in &self.child.removed {
            command.env_remove(variable.name);
        }
        command.envs(&self.child.given);
        command
    }

    /// Whom this is: its client id.
    pub(super) fn client_id(&self) -> &str {
        &self.keeper.lease.attached.identity.client_id
    }

    /// Runs a program to its end and takes the identity back.
    pub(super) async fn run(mut self, context: &mut Context<'_>, mut command: Command, mut signals: Signals) -> Ending {
        let started = command.spawn().map_err(|error| cannot_start(&command.as_std().get_program().display().to_string(), &error))?;
        let status = supervise(context, started, &mut signals, &mut self.keeper).await?;
        if !status.success() {
            self.keeper.tell_troubles(context);
        }
        self.keeper.end(context).await;
        Ok(exit_of(status))
    }
}

/// The exit codes that shells use for a command they cannot run.
fn cannot_start(program: &str, error: &std::io::Error) -> Failure {
    if error.kind() == std::io::ErrorKind::NotFound {
        return Failure::new(format!("there is no program `{program}`"), "check the spelling, or give its path").ending(Exit::NotFound);
    }
    Failure::new(format!("`{program}` cannot be started: {error}"), "check that it is a program and may be executed")
        .ending(Exit::CannotExecute)
}

fn exit_of(status: ExitStatus) -> Exit {
    match (status.code(), status.signal()) {
        (Some(code), _) => Exit::Program(u8::try_from(code).unwrap_or(u8::MAX)),
        (None, Some(number)) => Exit::Signal(u8::try_from(number).unwrap_or(u8::MAX)),
        (None, None) => Exit::Failed,
    }
}

/// Waits for the program; meanwhile hands signals on and keeps the identity lent.
async fn supervise(
    context: &mut Context<'_>,
    mut program: Child,
    signals: &mut Signals,
    keeper: &mut Keeper,
) -> Result<ExitStatus, Failure> {
    loop {
        tokio::select! {
            biased;
            ended = program.wait() => return ended.explain(|| "the program cannot be waited for".to_owned(), "look whether it still runs"),
            Some(signal) = signals.next() => {
                if let Some(pid) = program.id().and_then(|pid| rustix::process::Pid::from_raw(i32::try_from(pid).ok()?)) {
                    // A program that ended this instant needs no signal.
                    _ = rustix::process::kill_process(pid, signal);
                }
            }
            remark = keeper.keep() => context.screen.note(format_args!("{} {remark}", faint("keyless:"))),
        }
    }
}

/// Holds the loan, and renews it with the same secret when the system restarts, so that the program does not notice.
struct Keeper {
    local: Local,
    data: DataDir,
    wanted: AttachRequest,
    lease: Lease,
    began: Timestamp,
    /// Refusals in a row since the loan was lost.
    refusals: u32,
}

impl Keeper {
    /// Returns only with something to say; cancelling it loses nothing.
    async fn keep(&mut self) -> String {
        loop {
            self.lease.lost().await;
            match self.local.attach_run(&self.wanted).await {
                Ok(lease) => {
                    self.lease = lease;
                    self.refusals = 0;
                    continue;
                }
                // A refusal may be of the moment: the old connection is not yet known to be gone.
                Err(LocalFailure::Refused(why)) => {
                    self.refusals = self.refusals.saturating_add(1);
                    if self.refusals == REFUSALS_BEFORE_TELLING {
                        return format!("the identity can no longer be lent to this program: {why}");
                    }
                }
                // It is restarting.
                Err(_) => {}
            }
            tokio::time::sleep(RETRY).await;
        }
    }

    /// The program failed: says in one line what its identity was refused meanwhile. An audit log that cannot be read has nothing to say.
    fn tell_troubles(&self, context: &mut Context<'_>) {
        let identity = &self.lease.attached.identity;
        let Ok(principal) = identity.principal_id.parse() else { return };
        let troubles = troubles_since(&self.data.path, self.began, principal).unwrap_or_default();
        if let Some(line) = said_of(&identity.name, &troubles, &self.data) {
            context.screen.note(format_args!("{} {line}", faint("keyless:")));
        }
    }

    /// Makes the secret worthless before the caller learns that the program has ended.
    async fn end(self, context: &mut Context<'_>) {
        match self.local.detach(&self.lease.attached.id).await {
            // A system that is gone has taken the loan with it.
            Ok(()) | Err(LocalFailure::NotRunning(_)) => {}
            Err(error) => context.screen.note(format_args!(
                "{} the loan could not be ended by name ({error}); it ends with this command's connection",
                faint("keyless:")
            )),
        }
    }
}

fn said_of(identity: &str, troubles: &[AuditEvent], data: &DataDir) -> Option<String> {
    let newest = troubles.first()?;
    let count = |outcome| troubles.iter().filter(|event| event.outcome == outcome).count();
    let counted = match (count(Outcome::Denied), count(Outcome::Failed)) {
        (refused, 0) => format!("{refused} refused"),
        (0, failed) => format!("{failed} failed"),
        (refused, failed) => format!("{refused} refused, {failed} failed"),
    };
    let command = code(format_args!("keyless explain{} {}", data.flag(), short_id(newest)));
    Some(format!("calls of {identity} while it ran: {counted}; why: {command}"))
}

#[cfg(test)]
mod tests {
    use keyless_audit::Category;
    use keyless_model::{Actor, OpContext, RequestId};

    use super::*;

    #[test]
    fn troubles_are_counted_in_one_line_that_says_how_to_learn_more_u7() {
        let event = |number, outcome| {
            let ctx = OpContext::new(RequestId::from_u128(number), Timestamp::from_unix_secs(0), Actor::Anonymous);
            AuditEvent::new(&ctx, Category::Data, "ChatCompletions_Create", outcome)
        };
        let data = DataDir::named("/d".into());
        let newest = event(0x07e1_6b27_56b5_4251_a84e_04ab_699c_cac9, Outcome::Denied);
        let line = said_of("demo-app", &[newest.clone(), event(2, Outcome::Failed), newest.clone()], &data).unwrap();
        let plain = anstream::adapter::strip_str(&line).to_string();
        assert_eq!(plain, "calls of demo-app while it ran: 2 refused, 1 failed; why: keyless explain --data /d 07e16b27");
        assert!(said_of("demo-app", &[newest], &data).unwrap().contains(": 1 refused; why"));
        assert_eq!(said_of("demo-app", &[], &data), None);
    }

    #[test]
    fn the_programs_ending_is_passed_on() {
        assert_eq!(exit_of(ExitStatus::from_raw(37 << 8)).code(), 37);
        assert_eq!(exit_of(ExitStatus::from_raw(9)).code(), 137);
    }

    #[test]
    fn a_program_that_cannot_be_started_ends_as_in_a_shell() {
        let missing = cannot_start("nope", &std::io::ErrorKind::NotFound.into());
        assert_eq!((missing.exit.code(), missing.what.contains("nope")), (127, true));
        assert_eq!(cannot_start("file", &std::io::ErrorKind::PermissionDenied.into()).exit.code(), 126);
    }
}
