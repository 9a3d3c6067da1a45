//! Which az commands lead from what az knows to what is wanted. Pure: it looks at lists and names commands.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;

use serde::Deserialize;

use super::clouds::{Cloud, find};
use super::program::AZ;
use super::records::Record;
use crate::env_registry::Variable;
use crate::failure::Failure;

/// What is to be done, and what a shell must set and drop.
pub(super) struct Change {
    /// Each with `az` as its first word.
    pub(super) commands: Vec<Vec<String>>,
    pub(super) given: BTreeMap<&'static str, OsString>,
    pub(super) removed: Vec<Variable>,
}

/// A subscription of `az account list --all`: which cloud, and who is signed in to it.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct SignedIn {
    cloud_name: String,
    user: User,
}

#[derive(Debug, Deserialize)]
struct User {
    name: String,
}

/// The commands that make `control` the active cloud under `name`; none when it is already. `known` is what an earlier registration
/// left behind: a cloud that it made is moved along when the system's address has changed.
///
/// # Errors
/// When the name belongs to another cloud.
pub(super) fn registering(clouds: &[Cloud], name: &str, control: &str, known: Option<&Record>) -> Result<Vec<Vec<String>>, Failure> {
    let endpoint = ["--endpoint-resource-manager", control];
    let mut commands = Vec::new();
    let active = match find(clouds, name) {
        None => {
            commands.push(command(&["cloud", "register", "-n", name], &endpoint));
            false
        }
        Some(cloud) if cloud.is_at(control) => cloud.is_active,
        Some(cloud) if known.is_some_and(|known| cloud.is_at(&known.control)) => {
            commands.push(command(&["cloud", "update", "-n", name], &endpoint));
            cloud.is_active
        }
        Some(cloud) => return Err(taken(cloud)),
    };
    if !active {
        commands.push(command(&["cloud", "set", "-n", name], &[]));
    }
    Ok(commands)
}

/// The commands that undo it. A cloud of that name which is not the one registered is left alone, and so is whichever other cloud
/// is active by now.
///
/// # Errors
/// When the name belongs to another cloud by now.
pub(super) fn undoing(clouds: &[Cloud], signed_in: &[SignedIn], name: &str, record: &Record) -> Result<Vec<Vec<String>>, Failure> {
    let Some(cloud) = find(clouds, name) else { return Ok(Vec::new()) };
    if !cloud.is_at(&record.control) {
        return Err(taken(cloud));
    }
    let mut commands: Vec<Vec<String>> =
        only_in(signed_in, &cloud.name).into_iter().map(|user| command(&["logout", "--username", user], &[])).collect();
    if cloud.is_active {
        let before = find(clouds, &record.before).map_or("AzureCloud", |cloud| &cloud.name);
        commands.push(command(&["cloud", "set", "-n", before], &[]));
    }
    commands.push(command(&["cloud", "unregister", "-n", &cloud.name], &[]));
    Ok(commands)
}

/// Whether a command only makes az forget a sign-in.
pub(super) fn is_sign_out(words: &[String]) -> bool {
    words.get(1).is_some_and(|word| word == "logout")
}

/// Who is signed in to this cloud and no other: `az logout` knows names only, and would sign the others out elsewhere too.
fn only_in<'a>(signed_in: &'a [SignedIn], cloud: &str) -> BTreeSet<&'a str> {
    let here = |row: &&SignedIn| row.cloud_name.eq_ignore_ascii_case(cloud);
    let elsewhere: BTreeSet<&str> = signed_in.iter().filter(|row| !here(row)).map(|row| row.user.name.as_str()).collect();
    signed_in.iter().filter(here).map(|row| row.user.name.as_str()).filter(|user| !elsewhere.contains(user)).collect()
}

fn command(words: &[&str], more: &[&str]) -> Vec<String> {
    [AZ].iter().chain(words).chain(more).map(|word| (*word).to_owned()).collect()
}

fn taken(cloud: &Cloud) -> Failure {
    let at = cloud.endpoints.resource_manager.as_deref().unwrap_or("an unknown address");
    let what = format!("az has a cloud named `{}` already, at {at}, which is not this system", cloud.name);
    Failure::new(what, "choose another name with --name; `az cloud list` shows those in use")
}

#[cfg(test)]
mod tests;
