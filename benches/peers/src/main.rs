//! The same directory and the same questions for our decision and its peers, from one seed.
//!
//! * `decisions compare ASSIGNMENTS SECONDS` asks ours and Cedar in process, fails at the first answer that differs, prints the times
//! * `decisions cerbos ASSIGNMENTS FOLDER COUNT` writes Cerbos's policies, COUNT requests (one JSON per line) and our answers to them
//! * `decisions serve ASSIGNMENTS PORT` answers requests of that form over HTTP from our decision

#[path = "../../../crates/testkit/examples/support/drawn.rs"]
mod drawn;

mod cedar;
mod cerbos;
mod ours;
mod timing;

use anyhow::{Context as _, Result, bail, ensure};
use cedar::Cedar;
use drawn::{Drawn, Question, Random};
use ours::Ours;
use timing::Timing;

/// Where the questions start; the directory has a seed of its own.
const SEED: u64 = 7;
const QUESTIONS: usize = 20_000;

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let number = |at: usize| -> Result<u64> { Ok(arguments.get(at).context("a number is missing")?.parse()?) };
    match arguments.first().map(String::as_str) {
        Some("compare") => compare(Drawn { assignments: number(1)? }, number(2)?),
        Some("cerbos") => {
            let folder = arguments.get(2).context("the folder is missing")?;
            cerbos::write(Drawn { assignments: number(1)? }, folder.as_ref(), &questions(number(1)?, usize::try_from(number(3)?)?))
        }
        Some("serve") => cerbos::serve(Drawn { assignments: number(1)? }, u16::try_from(number(2)?)?),
        _ => bail!("usage: decisions compare ASSIGNMENTS SECONDS | cerbos ASSIGNMENTS FOLDER COUNT | serve ASSIGNMENTS PORT"),
    }
}

fn questions(assignments: u64, count: usize) -> Vec<Question> {
    let mut random = Random(SEED);
    (0..count).map(|_| Drawn { assignments }.question(&mut random)).collect()
}

/// Asks every evaluator for at most that many seconds each; Cedar's answers have to be ours.
fn compare(drawn: Drawn, seconds: u64) -> Result<()> {
    let questions = questions(drawn.assignments, QUESTIONS);
    let ours = Ours::load(drawn);
    let mut answers = Vec::new();
    let mut timings = vec![Timing::of("Keyless", seconds, &questions, |question| {
        answers.push(ours.allows(question));
        Ok(())
    })?];
    for (name, cedar) in
        [("Cedar, relations", Cedar::with_relations(drawn)?), ("Cedar, a policy per assignment", Cedar::with_policies(drawn)?)]
    {
        // Made beforehand, as our scopes are parsed beforehand.
        let asked: Vec<_> = questions.iter().map(|question| cedar.request(question)).collect::<Result<_>>()?;
        let mut given = Vec::new();
        timings.push(Timing::of(name, seconds, &asked, |request| {
            given.push(cedar.allows(request)?);
            Ok(())
        })?);
        for (number, (theirs, ours)) in given.iter().zip(&answers).enumerate() {
            ensure!(theirs == ours, "{name} says {theirs}, ours {ours}: {:?}", questions[number]);
        }
    }
    let allowed = answers.iter().filter(|allowed| **allowed).count();
    let report = serde_json::json!({"assignments": drawn.assignments, "asked": answers.len(), "allowed": allowed, "engines": timings});
    println!("{report}");
    Ok(())
}
