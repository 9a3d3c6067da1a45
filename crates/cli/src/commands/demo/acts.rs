//! The acts of the show, in order. Each does something real, shows what came of it, and fails if it is not what it must be.

use std::path::{Path, PathBuf};
use std::time::Instant;

use keyless_audit::Category;
use keyless_store::audit_log::Filter;
use serde_json::json;

use super::program::Program;
use super::running::{Running, Source};
use crate::client::{Arm, Chat, Credential, Local};
use crate::commands::audit::{Names, newest, table};
use crate::commands::drill::{self, assign, assignment, text};
use crate::failure::{Explain as _, Failure};
use crate::ui::{Screen, bad, code, faint, good, heading, strong, warn};

const NEWCOMER: &str = "newcomer";
/// How many calls the audit shows.
const CALLS_SHOWN: usize = 16;

/// Where the show plays.
pub(super) struct Stage<'a> {
    screen: &'a mut Screen,
    running: &'a Running,
    program: Program,
    control: Arm,
    account: String,
    endpoint: String,
    principal_id: String,
    assignment: String,
    number: u32,
}

impl<'a> Stage<'a> {
    /// Creates the identity that the program will have.
    pub(super) async fn set(screen: &'a mut Screen, running: &'a Running, python: PathBuf, folder: &Path) -> Result<Self, Failure> {
        let system = running.system();
        let control = system.operator().await?;
        let account = system.account(None)?;
        let group = account.id.split("/providers/").next().unwrap_or_default();
        let like: serde_json::Value = control.get(&account.id).await?;
        let identity = format!("{group}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/{NEWCOMER}");
        let made = control.put(&identity, &json!({ "location": like.get("location") })).await?;
        let principal_id = text(&made, "/properties/principalId")?;
        let (account, endpoint) = (account.id.clone(), account.endpoint.clone());
        let program = Program::write(python, folder)?;
        Ok(Self { screen, running, program, control, assignment: assignment(&account), account, endpoint, principal_id, number: 0 })
    }

    fn title(&mut self, title: &str) -> Result<(), Failure> {
        self.number += 1;
        self.screen.say(format_args!("\n{}", heading(format_args!("{}. {title}", self.number))))?;
        Ok(())
    }

    pub(super) fn the_program(&mut self) -> Result<(), Failure> {
        self.title("A program for Azure, with no key in it")?;
        for line in Program::lines() {
            let line = format!("  {} {line}", faint("│"));
            self.screen.say(line.trim_end())?;
        }
        Ok(())
    }

    pub(super) async fn without_a_role(&mut self) -> Result<(), Failure> {
        self.title("It has an identity, and no role: refused")?;
        self.command()?;
        self.must_be_refused().await
    }

    pub(super) async fn with_a_role(&mut self, source: Source) -> Result<(), Failure> {
        self.title("The operator assigns `Cognitive Services OpenAI User`: answered")?;
        assign(&self.control, &self.assignment, &self.account, &self.principal_id).await?;
        self.command()?;
        let began = Instant::now();
        let ran = self.program.run_as(NEWCOMER, &self.running.data).await?;
        let took = began.elapsed();
        if !ran.succeeded {
            return Err(Failure::new(
                format!("the program has the role and was refused: {}", ran.said),
                "run `keyless demo --keep` and read its log",
            ));
        }
        for line in ran.said.lines() {
            self.screen.say(format_args!("  {} {}", good("✓"), strong(line)))?;
        }
        self.screen.say(format_args!("    {}", faint(format_args!("{:.1} s, Python's start included", took.as_secs_f64()))))?;
        match source {
            Source::Found => {}
            Source::SmolLm2 => {
                self.screen.say(format_args!("    {}", faint("a real model, and a very small one: 135 million parameters")))?
            }
            Source::BuiltIn => self.screen.say(format_args!("    {}", warn("the built-in responder said this; it is no model")))?,
        }
        Ok(())
    }

    pub(super) async fn role_removed(&mut self) -> Result<(), Failure> {
        self.title("The operator removes the role: refused at once, with a token that is still good")?;
        let system = self.running.system();
        // Obtained while the role was there, as a program would hold it.
        let token = system.ai_token(NEWCOMER).await?;
        self.control.delete(&self.assignment).await?;
        let began = Instant::now();
        let chat = Chat::ask(&system.web, &self.endpoint, "chat", &Credential::Token(&token), "Say hello.").await;
        let chat = chat.explain(|| "the gateway does not answer".to_owned(), "run `keyless demo --keep` and read its log")?;
        if chat.answered() {
            return Err(Failure::new("a call was answered after its role was removed", "report this: it must never happen"));
        }
        let after = began.elapsed().as_secs_f64() * 1000.0;
        let refused = format!("{} {}", chat.status.as_u16(), chat.words);
        self.screen.say(format_args!("  {} {}", bad("✗"), refused))?;
        self.screen.say(format_args!("    {}", strong(format_args!("refused {after:.1} ms after the removal was answered"))))?;
        self.command()?;
        self.must_be_refused().await
    }

    pub(super) async fn leaks(&mut self) -> Result<bool, Failure> {
        self.title("What if it leaks? An API key against a client id")?;
        let report = drill::perform(self.screen, self.running.system()).await?;
        let text = drill::shown(&report, self.screen.columns());
        self.screen.write(format_args!("\n{text}"))?;
        Ok(report.as_it_must_be())
    }

    pub(super) async fn audit(&mut self) -> Result<(), Failure> {
        self.title("Who called what: the audit names an object id for every call that had an identity")?;
        let data = &self.running.data;
        let filter = Filter { category: Some(Category::Data), ..Filter::default() };
        let calls = newest(&data.path, CALLS_SHOWN, filter, |_| true)?;
        let names = Names::of(&Local::of(&data.path)).await;
        let text = table(&names, calls.iter().map(|call| &call.event), self.screen.columns(), false);
        self.screen.write(text)?;
        Ok(())
    }

    fn command(&mut self) -> Result<(), Failure> {
        let line = format!("keyless run --as {NEWCOMER} -- python chat.py");
        self.screen.say(format_args!("  {} {}", faint("$"), code(line)))?;
        Ok(())
    }

    async fn must_be_refused(&mut self) -> Result<(), Failure> {
        let ran = self.program.run_as(NEWCOMER, &self.running.data).await?;
        if ran.succeeded {
            return Err(Failure::new("the program was answered without a role", "report this: it must never happen"));
        }
        if !ran.said.contains("lacks the required data action") {
            return Err(Failure::new(
                format!("the program failed for another reason: {}", ran.said),
                "run `keyless demo --keep` and read its log",
            ));
        }
        self.screen.say(format_args!("  {} {}", bad("✗"), ran.said))?;
        Ok(())
    }
}
