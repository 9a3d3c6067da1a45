//! A principal or group as decisions see it: its standing, the groups that hold it, and its assignments.

use std::collections::BTreeSet;

use keyless_model::{ObjectId, TenantId};

use super::grants::Grants;
use super::{Policy, Short};

/// What the directory says of a principal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Standing {
    pub(super) tenant: TenantId,
    pub(super) enabled: bool,
}

#[derive(Clone, Default)]
pub(super) struct Subject {
    /// None while the directory has no such principal; assignments and memberships may outlive it.
    pub(super) standing: Option<Standing>,
    /// The groups that name it as a member, sorted.
    pub(super) member_of: Box<[ObjectId]>,
    pub(super) grants: Grants,
}

impl Subject {
    pub(super) fn is_empty(&self) -> bool {
        self.standing.is_none() && self.member_of.is_empty() && self.grants.is_empty()
    }

    pub(super) fn join(&mut self, group: ObjectId) {
        if let Err(at) = self.member_of.binary_search(&group) {
            let mut groups = std::mem::take(&mut self.member_of).into_vec();
            groups.insert(at, group);
            self.member_of = groups.into();
        }
    }

    pub(super) fn leave(&mut self, group: ObjectId) {
        if let Ok(at) = self.member_of.binary_search(&group) {
            let mut groups = std::mem::take(&mut self.member_of).into_vec();
            groups.remove(at);
            self.member_of = groups.into();
        }
    }
}

/// Someone whose assignments count for a request: the principal, or a group that holds it.
#[derive(Clone, Copy)]
pub(super) struct Member<'a> {
    pub(super) id: ObjectId,
    /// None for a group without assignments, standing or groups of its own.
    pub(super) subject: Option<&'a Subject>,
}

impl Policy {
    pub(super) fn subject(&self, id: ObjectId) -> Option<&Subject> {
        self.subjects.get(&id.uuid().as_u64_pair()).map(|subject| &**subject)
    }

    pub(super) fn member(&self, id: ObjectId) -> Member<'_> {
        Member { id, subject: self.subject(id) }
    }

    /// The principal and every group that holds it, directly or through other groups; nearest first, each once, whatever
    /// circles the groups form.
    pub(super) fn circle<'a>(&'a self, principal: Member<'a>) -> Short<Member<'a>> {
        let mut circle = Short::from_iter([principal]);
        // Looking through a short circle beats a set; a long one must not make this quadratic.
        let mut seen = BTreeSet::new();
        let mut next = 0;
        while let Some(current) = circle.get(next).copied() {
            next += 1;
            for group in current.subject.map(|subject| &*subject.member_of).unwrap_or_default() {
                if circle.spilled() && seen.is_empty() {
                    seen.extend(circle.iter().map(|member| member.id));
                }
                let known = if seen.is_empty() { circle.iter().any(|member| member.id == *group) } else { !seen.insert(*group) };
                if !known {
                    circle.push(self.member(*group));
                }
            }
        }
        circle
    }
}
