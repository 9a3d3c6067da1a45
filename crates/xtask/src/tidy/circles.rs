//! Circles of imports within a crate: files of which none can be understood without all the others.
//!
//! A file leans on another when it names an item of it, in a `use` or in a path. A name that a file only passes on (`pub use`) leads
//! to where it was made. A folder's files are parts of the file that bears the folder's name, so what they take from it does not count;
//! nor does what stands in tests.

use std::collections::{BTreeMap, BTreeSet};

use super::Problem;
use super::source_file::SourceFile;

/// Circles that may stay: the crate's folder, one file of the circle, how many it has at most, and why. It gets shorter, not longer.
const ALLOWED: &[(&str, &str, usize, &str)] = &[
    ("gateway", "responder", 2, "the model server of the demonstration stands where another would be sent to"),
    ("rbac", "decision", 2, "a permit is made of a decision's reason, and by the decision alone"),
];

/// A module by its path within the crate; the crate's own file is the empty one.
type Module = Vec<String>;

/// Which module leans on which.
type Arrows = BTreeMap<Module, BTreeSet<Module>>;

/// Circles without a reason, and reasons without a circle.
pub(super) fn check(files: &[SourceFile]) -> Vec<Problem> {
    let found = circles(files);
    let mut problems = Vec::new();
    for (folder, circle) in &found {
        let allowed = ALLOWED.iter().find(|(name, file, ..)| name == folder && circle.contains(*file));
        if allowed.is_none_or(|(_, _, most, _)| circle.len() > *most) {
            let names = circle.iter().cloned().collect::<Vec<_>>().join(", ");
            problems.push(Problem::new(
                format!("crates/{folder}"),
                format!("{} files import each other in a circle: {names}", circle.len()),
                "move what both need below both, or pass it as an argument; one that must stay has its reason in circles.rs",
            ));
        }
    }
    for (folder, file, ..) in ALLOWED {
        if !found.iter().any(|(name, circle)| name == folder && circle.contains(*file)) {
            problems.push(Problem::new(format!("crates/{folder}"), format!("{file} is in no circle"), "remove it from ALLOWED"));
        }
    }
    problems
}

/// The circles of every crate, as the crate's folder and the modules in text.
fn circles(files: &[SourceFile]) -> Vec<(String, BTreeSet<String>)> {
    let mut crates: BTreeMap<&str, BTreeMap<Module, &str>> = BTreeMap::new();
    for file in files {
        if let Some((folder, module)) = place(&file.path)
            && !file.shipped_code().is_empty()
        {
            crates.entry(folder).or_default().insert(module, file.shipped_code());
        }
    }
    let mut found = Vec::new();
    for (folder, modules) in crates {
        let arrows = arrows(&modules);
        let reach: BTreeMap<&Module, BTreeSet<&Module>> = arrows.keys().map(|module| (module, reached(&arrows, module))).collect();
        let circle = |module: &Module| -> BTreeSet<String> {
            let back = |other: &&&Module| reach.get(**other).is_some_and(|further| further.contains(module));
            reach[module].iter().filter(back).map(|other| name(other)).collect()
        };
        let all: BTreeSet<BTreeSet<String>> = arrows.keys().map(circle).filter(|circle| circle.len() > 1).collect();
        found.extend(all.into_iter().map(|circle| (folder.to_owned(), circle)));
    }
    found
}

/// The crate's folder and the module of a source file.
fn place(path: &str) -> Option<(&str, Module)> {
    let (folder, rest) = path.strip_prefix("crates/")?.split_once("/src/")?;
    let mut module: Module = rest.strip_suffix(".rs")?.split('/').map(str::to_owned).collect();
    if module.len() == 1 && matches!(module[0].as_str(), "lib" | "main") {
        module.clear();
    }
    Some((folder, module))
}

fn name(module: &[String]) -> String {
    if module.is_empty() { "lib".to_owned() } else { module.join("/") }
}

/// Everything that can be reached from a module along the arrows.
fn reached<'a>(arrows: &'a Arrows, from: &Module) -> BTreeSet<&'a Module> {
    let mut seen = BTreeSet::new();
    let mut open: Vec<&Module> = arrows.get(from).into_iter().flatten().collect();
    while let Some(next) = open.pop() {
        if seen.insert(next) {
            open.extend(arrows.get(next).into_iter().flatten());
        }
    }
    seen
}

fn arrows(modules: &BTreeMap<Module, &str>) -> Arrows {
    let mut passed_on: BTreeMap<(Module, String), Vec<String>> = BTreeMap::new();
    let mut paths: Vec<(&Module, Vec<String>)> = Vec::new();
    for (module, code) in modules {
        for (public, path, alias) in uses(code) {
            // Others reach a private name as well, from within the folder.
            passed_on.insert((module.clone(), alias), path.clone());
            if !public {
                paths.push((module, path));
            }
        }
        paths.extend(expressions(code).into_iter().map(|path| (module, path)));
    }
    let mut arrows: Arrows = modules.keys().map(|module| (module.clone(), BTreeSet::new())).collect();
    for (module, path) in paths {
        if let Some(target) = resolve(modules, &passed_on, module, &path, 0)
            && !module.starts_with(&target)
        {
            arrows.entry(module.clone()).or_default().insert(target);
        }
    }
    arrows
}

/// The module whose item `path` names, when it is one of this crate.
fn resolve(
    modules: &BTreeMap<Module, &str>,
    passed_on: &BTreeMap<(Module, String), Vec<String>>,
    from: &Module,
    path: &[String],
    depth: usize,
) -> Option<Module> {
    let mut words = path.iter().peekable();
    let mut at = match words.peek()?.as_str() {
        "crate" => {
            words.next();
            Module::new()
        }
        "self" => {
            words.next();
            from.clone()
        }
        "super" => {
            let mut at = from.clone();
            while words.peek().is_some_and(|word| *word == "super") {
                words.next();
                at.pop()?;
            }
            at
        }
        first => {
            let child = [from.as_slice(), &[first.to_owned()]].concat();
            if !modules.contains_key(&child) && !passed_on.contains_key(&(from.clone(), first.to_owned())) {
                return None;
            }
            from.clone()
        }
    };
    while let Some(word) = words.next() {
        let child = [at.as_slice(), std::slice::from_ref(word)].concat();
        if modules.contains_key(&child) {
            at = child;
        } else if let Some(further) = passed_on.get(&(at.clone(), word.clone())).filter(|_| depth < 8) {
            let path: Vec<String> = further.iter().chain(words).cloned().collect();
            return resolve(modules, passed_on, &at, &path, depth + 1);
        } else {
            break;
        }
    }
    // A name of a module without a file of its own.
    modules.contains_key(&at).then_some(at)
}

/// The paths of all `use` lines, whether each passes its name on, and under which.
fn uses(code: &str) -> Vec<(bool, Vec<String>, String)> {
    let mut found = Vec::new();
    for statement in code.split([';', '}', '{']).scan(0, |end, part| {
        let start = *end;
        *end += part.len() + 1;
        Some((start, part))
    }) {
        let (start, part) = statement;
        let Some(at) = word_at(part, "use") else { continue };
        let public = part[..at].trim_end().ends_with("pub") || part[..at].trim_end().ends_with(')') && part[..at].contains("pub(");
        let tree = &code[start + at + "use".len()..];
        let tree = &tree[..tree.find(';').unwrap_or(tree.len())];
        flatten(tree, &[], &mut |path, alias| found.push((public, path, alias)));
    }
    found
}

/// Where `word` stands in `text` by itself, not followed by something that makes it no statement.
fn word_at(text: &str, word: &str) -> Option<usize> {
    let edge = |c: Option<char>| c.is_none_or(|c| !c.is_alphanumeric() && c != '_');
    text.match_indices(word)
        .map(|(at, _)| at)
        .find(|at| edge(text[..*at].chars().next_back()) && text[at + word.len()..].starts_with(char::is_whitespace))
}

fn flatten(tree: &str, prefix: &[String], each: &mut impl FnMut(Vec<String>, String)) {
    let mut depth = 0;
    let mut start = 0;
    let ends = tree.char_indices().chain([(tree.len(), ',')]);
    for (at, letter) in ends {
        match letter {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => {
                branch(&tree[start..at], prefix, each);
                start = at + 1;
            }
            _ => {}
        }
    }
}

fn branch(tree: &str, prefix: &[String], each: &mut impl FnMut(Vec<String>, String)) {
    let (head, group) = tree.split_once('{').map_or((tree, None), |(head, group)| (head, group.rsplit_once('}')));
    let (head, alias) = head.split_once(" as ").map_or((head, None), |(head, alias)| (head, Some(alias.trim())));
    let words = head.split("::").map(str::trim).filter(|word| !word.is_empty());
    let path: Vec<String> = prefix.iter().cloned().chain(words.map(str::to_owned)).collect();
    match group {
        Some((inner, _)) => flatten(inner, &path, each),
        None if path.is_empty() => {}
        None => {
            let named = if path.last().is_some_and(|word| word == "self") { path.len() - 1 } else { path.len() };
            let alias = alias.map_or_else(|| path[named.saturating_sub(1)].clone(), str::to_owned);
            each(path[..named].to_vec(), alias);
        }
    }
}

fn without_uses(code: &str) -> String {
    let (mut kept, mut rest) = (String::with_capacity(code.len()), code);
    while let Some(at) = word_at(rest, "use") {
        kept.push_str(&rest[..at]);
        rest = rest[at..].find(';').map_or("", |end| &rest[at + end..]);
    }
    kept + rest
}

/// Every path of more than one word outside `use` lines.
fn expressions(code: &str) -> Vec<Vec<String>> {
    let mut found = Vec::new();
    let mut path: Vec<String> = Vec::new();
    let code = without_uses(code);
    let mut rest = code.as_str();
    let mut joined = false;
    while let Some(letter) = rest.chars().next() {
        if letter.is_alphabetic() || letter == '_' {
            let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
            if !joined {
                found.extend((path.len() > 1).then(|| std::mem::take(&mut path)));
                path.clear();
            }
            path.push(rest[..end].to_owned());
            (rest, joined) = (&rest[end..], false);
        } else if let Some(after) = rest.strip_prefix("::") {
            (rest, joined) = (after, true);
        } else {
            found.extend((path.len() > 1).then(|| std::mem::take(&mut path)));
            path.clear();
            (rest, joined) = (&rest[letter.len_utf8()..], false);
        }
    }
    found.extend((path.len() > 1).then_some(path));
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(files: &[(&str, &str)]) -> Vec<String> {
        let files: Vec<_> =
            files.iter().map(|(path, text)| SourceFile::new(format!("crates/x/src/{path}.rs"), (*text).to_owned())).collect();
        circles(&files).into_iter().map(|(_, circle)| circle.into_iter().collect::<Vec<_>>().join(" ")).collect()
    }

    #[test]
    fn files_that_name_each_other_are_a_circle_however_they_do_it() {
        let circle = ["a b"];
        assert_eq!(found(&[("lib", "mod a; mod b;"), ("a", "use crate::b::B;"), ("b", "use super::a::{self, A};")]), circle);
        assert_eq!(found(&[("lib", "mod a; mod b;"), ("a", "fn f() { crate::b::f() }"), ("b", "fn f(_: super::a::A) {}")]), circle);
        assert_eq!(found(&[("lib", ""), ("a", "use crate::b;"), ("b", "use crate::c::C;"), ("c", "use crate::a::A;")]), ["a b c"]);
    }

    #[test]
    fn a_part_may_take_from_its_whole_but_not_by_way_of_others() {
        assert_eq!(found(&[("lib", ""), ("a", "mod b; fn f() { b::g() } struct S;"), ("a/b", "use super::S; fn g() {}")]), [""; 0]);
        let files = [("lib", ""), ("a", "mod b; fn f() { b::g() } struct S;"), ("a/b", "use crate::c::C;"), ("c", "use crate::a::S;")];
        assert_eq!(found(&files), ["a a/b c"]);
        assert_eq!(found(&[("lib", ""), ("a", ""), ("a/b", "use super::c::C;"), ("a/c", "use super::b::B;")]), ["a/b a/c"]);
    }

    #[test]
    fn a_name_that_is_passed_on_leads_to_where_it_was_made() {
        let files = [("lib", "mod a; mod b; pub use a::A;"), ("a", "pub struct A;"), ("b", "use crate::A;")];
        assert_eq!(found(&files), [""; 0]);
        let files = [("lib", ""), ("a", "mod b; pub(crate) use b::{C as B};"), ("a/b", "use crate::d;"), ("d", "use crate::a::B;")];
        assert_eq!(found(&files), ["a/b d"], "and is none of the file that passes it on");
        let files = [("lib", ""), ("a", "mod b; pub use b::{B, C}; fn f() { crate::d::g() }"), ("a/b", ""), ("d", "use crate::a::{B, C};")];
        assert_eq!(found(&files), [""; 0], "nor is it of a list of such names");
    }

    #[test]
    fn few_and_small_circles_are_allowed() {
        assert!(ALLOWED.len() <= 3 && ALLOWED.iter().all(|(_, _, most, _)| *most <= 3));
    }

    #[test]
    fn tests_and_comments_do_not_count() {
        assert_eq!(
            found(&[("lib", ""), ("a", "use crate::b::B;"), ("b", "// crate::a::A\n#[cfg(test)]\nmod tests { use crate::a::A; }")]),
            [""; 0]
        );
        assert_eq!(found(&[("lib", ""), ("a", "use crate::b::B;"), ("b", "mod tests;"), ("b/tests", "use crate::a::A;")]), [""; 0]);
    }
}
