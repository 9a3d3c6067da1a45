//! What `keyless az` found before it changed anything, kept in the data folder until `--undo`: by the settings folder of az and
//! the name of the cloud, because one system may be registered in several.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::io;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::clouds::{Cloud, find};
use crate::child_env::ChildEnvironment;
use crate::env_registry::*;
use crate::failure::{Explain as _, Failure};

/// One registration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Record {
    /// The system's control plane, by which its cloud is recognised.
    pub(super) control: String,
    /// The cloud that was active.
    pub(super) before: String,
    /// The variables that a shell is given, and their values from before.
    variables: BTreeMap<String, Variables>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Variables {
    given: String,
    before: Option<String>,
}

impl Record {
    /// `known` is the record of an earlier registration of the same cloud: what was before it is still what was before.
    pub(super) fn new(
        clouds: &[Cloud],
        name: &str,
        control: &str,
        known: Option<Self>,
        child: &ChildEnvironment,
        outer: &Environment,
    ) -> Self {
        let active = clouds.iter().find(|cloud| cloud.is_active).map(|cloud| cloud.name.clone());
        let ours = find(clouds, name).is_some_and(|cloud| cloud.is_active);
        let earlier = known.as_ref().map(|known| known.before.clone());
        let before = if ours { earlier } else { active };
        let variables = child.given.iter().filter_map(|(name, value)| {
            let (variable, given) = (ALL.iter().find(|variable| variable.name == *name)?, value.to_str()?.to_owned());
            let now = outer.text(*variable).map(str::to_owned);
            let earlier = known.as_ref().and_then(|known| known.variables.get(*name));
            // A shell that has our value already was prepared by an earlier registration.
            let before = match earlier {
                Some(earlier) if now.as_ref() == Some(&earlier.given) => earlier.before.clone(),
                _ => now.filter(|now| *now != given),
            };
            Some(((*name).to_owned(), Variables { given, before }))
        });
        let variables = variables.collect();
        Self { control: control.to_owned(), before: before.unwrap_or_else(|| "AzureCloud".to_owned()), variables }
    }

    /// The environment in which az can still talk to the system.
    pub(super) fn environment(&self) -> BTreeMap<&'static str, OsString> {
        self.known().map(|(variable, values)| (variable.name, OsString::from(&values.given))).collect()
    }

    /// What a shell must set and what it must drop to be as it was. A variable that it has changed since is its own affair.
    pub(super) fn variables_from_before(&self, outer: &Environment) -> (BTreeMap<&'static str, OsString>, Vec<Variable>) {
        let (mut given, mut removed) = (BTreeMap::new(), Vec::new());
        for (variable, values) in self.known().filter(|(variable, values)| outer.text(*variable) == Some(values.given.as_str())) {
            match &values.before {
                Some(before) => _ = given.insert(variable.name, OsString::from(before)),
                None => removed.push(variable),
            }
        }
        (given, removed)
    }

    fn known(&self) -> impl Iterator<Item = (Variable, &Variables)> {
        self.variables.iter().filter_map(|(name, values)| Some((*ALL.iter().find(|variable| variable.name == name)?, values)))
    }
}

/// All records that one data folder keeps for one settings folder of az.
pub(super) struct Records {
    file: PathBuf,
    settings: String,
}

type ByName = BTreeMap<String, Record>;
type BySettings = BTreeMap<String, ByName>;

impl Records {
    /// # Errors
    /// When nothing says where az keeps its settings.
    pub(super) fn of(data: &Path, environment: &Environment) -> Result<Self, Failure> {
        let from = |variable| environment.value(variable).map(PathBuf::from);
        let settings = from(AZURE_CONFIG_DIR)
            .or_else(|| Some(from(HOME)?.join(".azure")))
            .ok_or_else(|| Failure::usage("the settings folder of az is not known: HOME is not set", "set HOME or AZURE_CONFIG_DIR"))?;
        let settings = std::path::absolute(&settings).unwrap_or(settings);
        Ok(Self { file: data.join("az").join("registered.json"), settings: settings.display().to_string() })
    }

    /// # Errors
    /// When the file cannot be read.
    pub(super) fn read(&self, name: &str) -> Result<Option<Record>, Failure> {
        Ok(self.all()?.get(&self.settings).and_then(|names| names.get(name)).cloned())
    }

    /// # Errors
    /// When the file cannot be written.
    pub(super) fn write(&self, name: &str, record: &Record) -> Result<(), Failure> {
        let mut all = self.all()?;
        all.entry(self.settings.clone()).or_default().insert(name.to_owned(), record.clone());
        self.save(&all)
    }

    /// # Errors
    /// When the file cannot be written.
    pub(super) fn forget(&self, name: &str) -> Result<(), Failure> {
        let mut all = self.all()?;
        if let Some(names) = all.get_mut(&self.settings) {
            names.remove(name);
        }
        all.retain(|_, names| !names.is_empty());
        self.save(&all)
    }

    fn all(&self) -> Result<BySettings, Failure> {
        let unreadable = || format!("{} cannot be read", self.file.display());
        match fs::read(&self.file) {
            Ok(bytes) => {
                serde_json::from_slice(&bytes).explain(unreadable, "delete it; `az cloud list` and `az cloud unregister` do the rest")
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(BySettings::new()),
            Err(error) => Err(error).explain(unreadable, "check who owns it"),
        }
    }

    fn save(&self, all: &BySettings) -> Result<(), Failure> {
        let write = || -> io::Result<()> {
            let folder = self.file.parent().unwrap_or(Path::new("."));
            fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
            let file = tempfile::NamedTempFile::new_in(folder)?;
            fs::write(file.path(), serde_json::to_vec_pretty(all)?)?;
            file.persist(&self.file)?;
            Ok(())
        };
        write().explain(|| format!("{} cannot be written", self.file.display()), "free some disk space and try again")
    }
}

#[cfg(test)]
mod tests;
