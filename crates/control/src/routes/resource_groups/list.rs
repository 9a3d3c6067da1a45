//! `GET /subscriptions/{id}/resourceGroups[?$filter=tagname eq 'a' and tagvalue eq 'b']`

use keyless_model::entity::ResourceGroup;

use super::shape;
use crate::answer::Reply;
use crate::arm::page::{Page, Row};
use crate::call::Call;
use crate::failure::Failure;
use crate::filter::{Term, parse, unsupported};

const READ: &str = "Microsoft.Resources/subscriptions/resourceGroups/read";

pub(in crate::routes) async fn handle(call: &Call) -> Result<Reply, Failure> {
    let tag = tag(call)?;
    let page = Page::asked(call)?;
    let rows = call.snapshot.resource_groups_below(page.below(call)).filter(|group| matches(group, tag.as_ref()));
    page.of(call, rows.map(|group| Row::of(&group.scope, group)), READ, |group| shape(group))
}

fn tag(call: &Call) -> Result<Option<(String, Option<String>)>, Failure> {
    let Some(filter) = call.query.field("$filter") else { return Ok(None) };
    match parse(filter)?.as_slice() {
        [Term::Equals(name, tag)] if name.eq_ignore_ascii_case("tagname") => Ok(Some((tag.clone(), None))),
        [Term::Equals(name, tag), Term::Equals(value_name, value)]
            if name.eq_ignore_ascii_case("tagname") && value_name.eq_ignore_ascii_case("tagvalue") =>
        {
            Ok(Some((tag.clone(), Some(value.clone()))))
        }
        _ => Err(unsupported(filter)),
    }
}

fn matches(group: &ResourceGroup, tag: Option<&(String, Option<String>)>) -> bool {
    let Some((name, value)) = tag else { return true };
    group.tags.iter().any(|(known, tagged)| known.eq_ignore_ascii_case(name) && value.as_ref().is_none_or(|value| value == tagged))
}
